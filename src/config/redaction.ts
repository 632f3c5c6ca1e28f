import type { AlarmSettings, KafkaLogSettings, Line, MetricsSettings } from './line.ts';

/** What stands where a secret was. */
const MASK = '******';

/** Shorter secrets are not looked for in texts: they would be found inside other words. They are still never printed on purpose. */
const SECRET_LENGTH_MIN = 4;

/** A line without its secrets, for printing. */
export function redactedLine(line: Line): Line {
  const { source, log, registry, alarms, metrics, masking } = line;
  return {
    ...line,
    source: { ...source, password: masked(source.password), tls: maskedTls(source.tls) },
    log: log.kind === 'embedded' ? log : { ...log, tls: maskedTls(log.tls), sasl: maskedSasl(log.sasl) },
    masking: { ...masking, keys: Object.fromEntries(Object.keys(masking.keys).map(name => [name, MASK])) },
    registry:
      registry === null || registry.password === null
        ? registry
        : { ...registry, password: masked(registry.password) },
    alarms: maskedAlarms(alarms),
    metrics: maskedMetrics(metrics),
  };
}

/** All but the host of a webhook may be a secret. */
function maskedAlarms({ webhooks, mail, ...rest }: AlarmSettings): AlarmSettings {
  return {
    ...rest,
    webhooks: webhooks.map(({ url, headers, secret, ...hook }) => ({
      ...hook,
      url: `${new URL(url).origin}/${MASK}`,
      headers: maskedHeaders(headers),
      secret: secret === null ? null : masked(secret),
    })),
    mail: mail === null || mail.password === null ? mail : { ...mail, password: masked(mail.password) },
  };
}

/** What follows the host of a webhook's URL, its headers and its key; the password of the mail server. */
function alarmSecrets({ webhooks, mail }: AlarmSettings): readonly (string | null | undefined)[] {
  const ofHooks = webhooks.flatMap(({ url, headers, secret }) => {
    const { pathname, search } = new URL(url);
    const path = `${pathname}${search}`;
    return [path === '/' ? null : path, secret, ...Object.values(headers)];
  });
  return [...ofHooks, mail?.password];
}

function maskedMetrics({ influxdb, otlp, ...rest }: MetricsSettings): MetricsSettings {
  const hidden = influxdb === null || influxdb.password === null;
  return {
    ...rest,
    influxdb: hidden ? influxdb : { ...influxdb, password: masked(influxdb.password) },
    otlp: otlp === null ? null : { ...otlp, headers: maskedHeaders(otlp.headers) },
  };
}

function maskedHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, masked(value)]));
}

function masked(secret: string): string {
  return secret === '' ? '' : MASK;
}

function maskedTls(tls: Line['source']['tls']): Line['source']['tls'] {
  return tls === null ? null : { ...tls, key: tls.key === null ? null : MASK };
}

function maskedSasl(sasl: KafkaLogSettings['sasl']): KafkaLogSettings['sasl'] {
  return sasl === null ? null : { ...sasl, password: masked(sasl.password) };
}

/**
 * A function that masks the secrets of a line wherever they occur in a text: the last net under error messages of others. A secret
 * is looked for as it is, percent-encoded, and as JSON writes it.
 */
export function secretMasker(line: Line): (text: string) => string {
  const { source, log, registry, alarms, metrics, masking } = line;
  const ofLog = log.kind === 'kafka' ? [log.sasl?.password, log.tls?.key] : [];
  return maskerOf(
    [
      source.password,
      source.tls?.key,
      registry?.password,
      metrics.influxdb?.password,
      ...Object.values(metrics.otlp?.headers ?? {}),
      ...ofLog,
      ...alarmSecrets(alarms),
      ...Object.values(masking.keys),
    ].map(secret => secret ?? ''),
  );
}

/** {@link secretMasker} for given secrets. */
export function maskerOf(secrets: readonly string[]): (text: string) => string {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < SECRET_LENGTH_MIN) continue;
    for (const form of [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])
      forms.add(form);
  }
  const longestFirst = [...forms].toSorted((a, b) => b.length - a.length);
  return text => longestFirst.reduce((masked, form) => masked.replaceAll(form, MASK), text);
}

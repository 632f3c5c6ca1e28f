import type { LateRule } from '../telemetry/alarms/thresholds.ts';
import type { AlarmRuleSettings, AlarmSettings } from './line.ts';
import type { WrittenLine } from './line-schema.ts';
import type { SecretReader } from './secrets.ts';

const defaultPorts = { tls: 465, starttls: 587, none: 25 } as const;

/** The `alarms` of a line, with every secret read. */
export function alarmsOf({ alarms }: WrittenLine, secrets: SecretReader): AlarmSettings {
  const { webhooks, mail, retryFor } = alarms;
  return {
    webhooks: Object.entries(webhooks).map(([name, { url, headers, secret, timeout }]) => {
      const at = ['alarms', 'webhooks', name];
      const read = Object.entries(headers).map(
        ([header, ref]) => [header, secrets.secretOf(ref, [...at, 'headers', header]) ?? ''] as const,
      );
      return {
        name,
        url,
        headers: Object.fromEntries(read),
        secret: secrets.secretOf(secret, [...at, 'secret']),
        timeoutMs: timeout,
      };
    }),
    mail: mail === null ? null : mailOf(mail, secrets),
    commands: Object.entries(alarms.commands).map(([name, { run, timeout }]) => ({
      name,
      run,
      timeoutMs: timeout,
    })),
    retryForMs: retryFor,
    ...alarmRulesOf(alarms),
  };
}

/** What is an alarm, from what was written. */
function alarmRulesOf(
  alarms: Omit<WrittenLine['alarms'], 'webhooks' | 'mail' | 'commands' | 'retryFor'>,
): AlarmRuleSettings {
  const { every, tables, consumers, purge, logPercent, diskFree, clear, repeat, schemaChanges, pullIdle } =
    alarms;
  return {
    everyMs: every,
    late: lateRule(alarms),
    tables: Object.entries(tables).map(([pattern, rule]) => ({ pattern, rule: lateRule(rule) })),
    consumers,
    purgeMs: purge,
    pullIdleMs: pullIdle,
    logPercent,
    diskFreeBytes: diskFree,
    clearMs: clear,
    repeatMs: repeat,
    schemaChanges,
  };
}

function lateRule({
  late,
  window,
  lateInWindow,
}: Pick<WrittenLine['alarms'], 'late' | 'window' | 'lateInWindow'>): LateRule {
  return { lateMs: late, window: window === null ? null : { window, lateMs: lateInWindow } };
}

/** The alarms of a line whose file does not name them: nobody is told. */
export const noAlarms: AlarmSettings = {
  webhooks: [],
  mail: null,
  commands: [],
  retryForMs: 900_000,
  everyMs: 10_000,
  late: { lateMs: 60_000, window: null },
  tables: [],
  consumers: [],
  purgeMs: 43_200_000,
  pullIdleMs: 600_000,
  logPercent: 90,
  diskFreeBytes: 1024 ** 3,
  clearMs: 30_000,
  repeatMs: 21_600_000,
  schemaChanges: 'breaking',
};

function mailOf(
  { ca, verify, password, timeout, port, ...rest }: NonNullable<WrittenLine['alarms']['mail']>,
  secrets: SecretReader,
): AlarmSettings['mail'] {
  const at = ['alarms', 'mail'];
  const trusted = secrets.tlsOf({ ca, cert: null, key: null, verify }, at);
  return {
    ...rest,
    port: port ?? defaultPorts[rest.encryption],
    verify,
    ca: trusted?.ca ?? null,
    password: secrets.secretOf(password, [...at, 'password']),
    timeoutMs: timeout,
  };
}

import type { AlarmSettings } from './line.ts';
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
    retryForMs: retryFor,
  };
}

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

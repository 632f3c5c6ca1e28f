import { createTransport } from 'nodemailer';
import { UmbusError } from '../../core/errors.ts';
import type { Alarm, AlarmSink } from '../../ports/alarm.ts';

/** A mail server and who gets mail. */
export interface MailOptions {
  /** Names the sink. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** `starttls`: the connection begins in plain text and must be encrypted before anything is said; `tls`: from the first byte; `none`: never. */
  readonly encryption: 'starttls' | 'tls' | 'none';
  /** PEM text of the certificates to trust; null: the system's. */
  readonly ca: string | null;
  /** Whether certificate and host name are checked. */
  readonly verify: boolean;
  /** Null: no login. */
  readonly username: string | null;
  readonly password: string | null;
  readonly from: string;
  /** At least one. */
  readonly to: readonly string[];
  /** Bound of each step: connecting, greeting, silence. */
  readonly timeoutMs: number;
}

/** SMTP: from here on an answer is final (RFC 5321, 4.2.1). */
const FINAL = 500;

/**
 * Alarms as plain-text mail over SMTP. All mails of one alarm id are one thread. A connection is made for each mail: alarms are rare, and an idle one would be cut.
 * Messages name the server only.
 */
export function createMail(options: MailOptions): AlarmSink {
  const { host, port, encryption, timeoutMs, username, password } = options;
  const transport = createTransport({
    host,
    port,
    secure: encryption === 'tls',
    requireTLS: encryption === 'starttls',
    ignoreTLS: encryption === 'none',
    tls: { rejectUnauthorized: options.verify, ...(options.ca !== null && { ca: options.ca }) },
    ...(username !== null && { auth: { user: username, pass: password ?? '' } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    name: options.name,
    async send(alarm, signal) {
      const sending = transport.sendMail(mailOf(alarm, options));
      // Bounded by the time-outs, so what is left behind when the signal aborts ends by itself.
      await raced(sending, signal).catch(cause => {
        throw mailError(cause, `${host}:${port}`);
      });
    },
  };
}

async function raced(sending: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const stop = Promise.withResolvers<never>();
  const abort = (): void => stop.reject(new Error('the process stops'));
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([sending, stop.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function mailOf(alarm: Alarm, { from, to }: MailOptions) {
  const over = alarm.state === 'recovered';
  const facts = Object.entries(alarm.details).map(([name, value]) => `${name}: ${value ?? ''}`);
  const at = new Date(alarm.atMs).toISOString();
  return {
    from,
    to: [...to],
    subject: `[umbus ${alarm.line}] ${over ? 'Over' : alarm.severity}: ${alarm.title}`,
    text: [alarm.text, '', ...facts, `at: ${at}`, `id: ${alarm.id}`].join('\n'),
    headers: {
      // Mail programs put mails that name the same one together.
      References: `<${encodeURIComponent(alarm.id)}@${encodeURIComponent(alarm.line)}.umbus>`,
      'Auto-Submitted': 'auto-generated',
      ...(alarm.severity === 'critical' && !over && { Importance: 'high' }),
    },
  };
}

function mailError(cause: unknown, server: string): UmbusError {
  const facts: { readonly code?: unknown; readonly responseCode?: unknown } =
    typeof cause === 'object' ? { ...cause } : {};
  const status = typeof facts.responseCode === 'number' ? facts.responseCode : 0;
  const login = facts.code === 'EAUTH' || facts.code === 'ENOAUTH';
  const final = status >= FINAL || (login && status === 0) || (facts.code === 'EENVELOPE' && status === 0);
  const said = status > 0 ? `it answered ${status}` : reasonOf(cause);
  return new UmbusError(
    final ? 'UMBUS_ALARM_REFUSED' : 'UMBUS_ALARM_UNREACHABLE',
    `The mail server ${server} does not take the alarm: ${said}${login ? ' to the login' : ''}.`,
    { cause, details: { server, ...(status > 0 && { status }) } },
  );
}

/** The library's code, and below it that of the socket or of TLS. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'the request failed';
  const code = 'code' in error ? String(error.code) : '';
  const inner = error.cause instanceof Error && 'code' in error.cause ? String(error.cause.code) : '';
  const codes = [...new Set([code, inner])].filter(each => each !== '' && each !== 'undefined');
  return codes.length === 0 ? 'the connection failed' : codes.join(', ');
}

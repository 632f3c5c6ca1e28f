import { createHmac } from 'node:crypto';
import { UmbusError } from '../../core/errors.ts';
import type { AlarmSink } from '../../ports/alarm.ts';
import { alarmDocument } from './alarm-document.ts';

/** A receiver of alarms over HTTP. */
export interface WebhookOptions {
  /** Names the sink. */
  readonly name: string;
  readonly url: string;
  /** Sent with each request; they win over those of umbus. */
  readonly headers: Readonly<Record<string, string>>;
  /** Key of the signature in `umbus-signature`; null for none. */
  readonly secret: string | null;
  /** An answer that takes longer is none. */
  readonly timeoutMs: number;
}

/** Answers that may be another one later: too slow, too early, too many, and faults of the server. */
const passing: ReadonlySet<number> = new Set([408, 425, 429]);

/**
 * Alarms as `POST` with the document of ums-schema/alarm.schema.json as JSON. With a secret, `umbus-signature: sha256=<hex>` is the HMAC-SHA-256 of the body. Any
 * answer from 200 to 299 takes the alarm; redirects are not followed, since headers and signature would go to somebody else. What the receiver answers is not read.
 * Messages name the host only: the path may be a secret.
 */
export function createWebhook({ name, url, headers, secret, timeoutMs }: WebhookOptions): AlarmSink {
  const { host } = new URL(url);
  return {
    name,
    async send(alarm, signal) {
      const body = JSON.stringify(alarmDocument(alarm));
      const sent = new Headers({
        'content-type': 'application/json',
        'user-agent': 'umbus',
        ...(secret !== null && { 'umbus-signature': signatureOf(body, secret) }),
      });
      for (const [header, value] of Object.entries(headers)) sent.set(header, value);
      const timeout = AbortSignal.timeout(timeoutMs);
      const status = await statusOf(url, host, {
        method: 'POST',
        headers: sent,
        body,
        redirect: 'manual',
        signal: AbortSignal.any([signal, timeout]),
      });
      if (status < 200 || status > 299) throw answerError(host, status);
    },
  };
}

/** What a receiver compares with the header `umbus-signature`. */
export function signatureOf(body: string, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

async function statusOf(url: string, host: string, request: RequestInit): Promise<number> {
  try {
    const response = await fetch(url, request);
    await response.body?.cancel();
    return response.status;
  } catch (cause) {
    throw new UmbusError('UMBUS_ALARM_UNREACHABLE', `${host} does not take the alarm: ${reasonOf(cause)}.`, {
      cause,
      details: { host },
    });
  }
}

function answerError(host: string, status: number): UmbusError {
  const again = status >= 500 || passing.has(status);
  return new UmbusError(
    again ? 'UMBUS_ALARM_UNREACHABLE' : 'UMBUS_ALARM_REFUSED',
    `${host} answered the alarm with HTTP status ${status}.`,
    { details: { host, status } },
  );
}

/** fetch says `fetch failed`, and its cause why. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'the request failed';
  if (error.name === 'TimeoutError') return 'no answer in time';
  if (error.name === 'AbortError') return 'the process stops';
  const { cause } = error;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'the request failed';
}

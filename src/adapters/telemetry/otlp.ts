import { UmbusError } from '../../core/errors.ts';
import type { Span, Spans } from '../../ports/traces.ts';

/** A collector that takes OTLP over HTTP. */
export interface OtlpOptions {
  /** Where it is, such as `http://collector.example:4318`; spans go to `/v1/traces` below. */
  readonly url: string;
  /** Sent with each request, such as a key. */
  readonly headers: Readonly<Record<string, string>>;
  /** An answer that takes longer is none; default 10 s. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
/** Answers after which OTLP asks to try again. */
const passing: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);

/** Spans as OTLP in JSON (opentelemetry-proto, encoding of OTLP/HTTP): one request for each write. Redirects are not followed, and the answer is not read. */
export function createOtlp({ url, headers, timeoutMs = TIMEOUT_MS }: OtlpOptions): Spans {
  const endpoint = `${url.replace(/\/+$/, '')}/v1/traces`;
  const { host } = new URL(url);
  return {
    async write(spans) {
      if (spans.length === 0) return;
      const status = await statusOf(host, endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'user-agent': 'umbus', ...headers },
        body: JSON.stringify(requestOf(spans)),
        redirect: 'manual',
        signal: AbortSignal.timeout(timeoutMs),
      });
      if (status >= 200 && status <= 299) return;
      throw new UmbusError(
        passing.has(status) ? 'UMBUS_OTLP_UNREACHABLE' : 'UMBUS_OTLP_REFUSED',
        `The collector at ${host} answered spans with HTTP status ${status}.`,
        { details: { host, status } },
      );
    },
  };
}

async function statusOf(host: string, endpoint: string, request: RequestInit): Promise<number> {
  try {
    const response = await fetch(endpoint, request);
    await response.body?.cancel();
    return response.status;
  } catch (cause) {
    throw new UmbusError(
      'UMBUS_OTLP_UNREACHABLE',
      `The collector at ${host} does not take spans: ${reasonOf(cause)}.`,
      {
        cause,
        details: { host },
      },
    );
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'the request failed';
  if (error.name === 'TimeoutError') return 'no answer in time';
  const { cause } = error;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'the request failed';
}

/** `ExportTraceServiceRequest` in JSON: 64-bit numbers as text, ids as hex. */
function requestOf(spans: readonly Span[]) {
  return {
    resourceSpans: [
      {
        resource: { attributes: attributesOf({ 'service.name': 'umbus' }) },
        scopeSpans: [{ scope: { name: 'umbus' }, spans: spans.map(spanOf) }],
      },
    ],
  };
}

/** SPAN_KIND_INTERNAL. */
const INTERNAL = 1;

function spanOf({ traceId, spanId, parentSpanId, name, startNanos, endNanos, attributes }: Span) {
  return {
    traceId,
    spanId,
    ...(parentSpanId === null ? {} : { parentSpanId }),
    name,
    kind: INTERNAL,
    startTimeUnixNano: String(startNanos),
    endTimeUnixNano: String(endNanos),
    attributes: attributesOf(attributes),
  };
}

function attributesOf(attributes: Span['attributes']) {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === 'string' ? { stringValue: value } : { intValue: String(Math.round(value)) },
  }));
}

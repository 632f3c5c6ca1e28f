import { InfluxDB, type IPoint } from 'influx';
import { type ErrorCode, UmbusError } from '../../core/errors.ts';
import type { Point, TimeSeries } from '../../ports/time-series.ts';

/** An InfluxDB 1.x. */
export interface InfluxdbOptions {
  /** Where it is, such as `http://influx.example:8086`. */
  readonly url: string;
  /** Made when it is missing and the account may. */
  readonly database: string;
  readonly username: string | null;
  readonly password: string | null;
  /** An answer that takes longer is none; default 10 s. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;

/** What the client's errors carry. */
interface ClientError {
  readonly res?: { readonly statusCode?: number };
  readonly code?: string;
}

/** Opens nothing: each write is a request of its own. Its errors name host and reason, and neither login nor points. */
export function createInfluxdb(options: InfluxdbOptions): TimeSeries {
  const { url, database, username, password, timeoutMs = TIMEOUT_MS } = options;
  const { hostname, port, protocol, pathname, host } = new URL(url);
  // The client knows no other protocol; a URL of the line file has one of the two.
  const scheme = protocol === 'https:' ? 'https' : 'http';
  const client = new InfluxDB({
    host: hostname,
    port: Number(port === '' ? (scheme === 'https' ? 443 : 80) : port),
    protocol: scheme,
    path: pathname === '/' ? '' : pathname,
    database,
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    // Who writes waits and tries again; a host that the client has put aside would only be missed longer.
    pool: { maxRetries: 0, requestTimeout: timeoutMs, backoff: noBackoff },
  });
  const write = (points: readonly IPoint[]): Promise<void> =>
    client.writePoints([...points], { precision: 'n' });
  return {
    async write(points) {
      if (points.length === 0) return;
      const made = points.map(pointOf);
      try {
        await write(made);
      } catch (error) {
        if (statusOf(error) !== 404) throw told(error, host);
        try {
          await client.createDatabase(database);
          await write(made);
        } catch (second) {
          throw told(second, host);
        }
      }
    },
  };
}

/** Never puts a host aside. */
const noBackoff = {
  getDelay: () => 0,
  next: () => noBackoff,
  reset: () => noBackoff,
};

function pointOf({ measurement, tags, fields, atNanos }: Point): IPoint {
  const filled = Object.entries(tags).filter(([, value]) => value !== '');
  return {
    measurement,
    tags: Object.fromEntries(filled),
    fields,
    timestamp: String(atNanos),
  };
}

function statusOf(error: unknown): number | null {
  // Whatever the client throws; what is not there is undefined.
  return (error as ClientError | null)?.res?.statusCode ?? null;
}

function told(cause: unknown, host: string): UmbusError {
  const status = statusOf(cause);
  const refused = status !== null && status >= 400 && status < 500 && status !== 429;
  const code: ErrorCode = refused ? 'UMBUS_INFLUXDB_REFUSED' : 'UMBUS_INFLUXDB_UNREACHABLE';
  const reason = status === null ? reasonOf(cause) : `it answered with HTTP status ${status}`;
  return new UmbusError(code, `InfluxDB at ${host} does not take what was measured: ${reason}.`, {
    cause,
    details: { host, status },
  });
}

function reasonOf(error: unknown): string {
  const { code } = (error ?? {}) as ClientError; // as above
  return code ?? (error instanceof Error ? error.message : 'the request failed');
}

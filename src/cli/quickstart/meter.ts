import { rows } from '../../consumer/rows.ts';
import type { UmsMessage } from '../../ums/types.ts';
import { PULSE_TABLE } from './shop.ts';

/** What has come out of the result topics so far. */
export interface Reading {
  readonly rows: number;
  readonly messages: number;
  /** Rows by table, and per second since the reading before. */
  readonly tables: readonly { readonly table: string; readonly rows: number; readonly perSecond: number }[];
  /** How long the first pulse took, in milliseconds: what was changed before the line had started waits for that. Null before it. */
  readonly startMs: number | null;
  /** From the source's own time of a change to its arrival, in milliseconds, of changes since the first pulse arrived; null before one. */
  readonly latency: { readonly p50: number; readonly p99: number; readonly samples: number } | null;
  /** The newest message that is not a pulse; null before the first. */
  readonly newest: UmsMessage | null;
}

/** Counts messages as they arrive. */
export interface Meter {
  /** `nowMs`: when it arrived, milliseconds since 1970-01-01 UTC with a fraction. */
  take(message: UmsMessage, nowMs: number): void;
  read(nowMs: number): Reading;
  /** Number of the newest pulse that arrived; 0 before the first. */
  readonly lastPulse: number;
}

/** Latencies kept for the percentiles: the newest ones. */
const MAX_SAMPLES = 5_000;

/** The `q` quantile by nearest rank of a list that is not empty. */
function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

/** Pulse rows carry the server's UTC time in microseconds, so their age on arrival is the latency of the whole line. */
export function createMeter(startMs: number): Meter {
  const counts = new Map<string, { rows: number; before: number }>();
  const samples: number[] = [];
  let taken = 0;
  let messages = 0;
  let newest: UmsMessage | null = null;
  let lastPulse = 0;
  /** When the first pulse arrived, and how long that took. */
  let first: { readonly atMs: number; readonly tookMs: number } | null = null;
  let lastReadMs = startMs;

  function takePulse(message: UmsMessage, nowMs: number): void {
    for (const row of rows(message)) {
      lastPulse = Math.max(lastPulse, Number(row.values['id']));
      const sentMs = Date.parse(`${String(row.values['at']).replace(' ', 'T').slice(0, 23)}Z`);
      first ??= { atMs: nowMs, tookMs: nowMs - sentMs };
      // What was sent before has waited for the start of the line, which is told by itself.
      if (sentMs >= first.atMs) samples[taken++ % MAX_SAMPLES] = nowMs - sentMs;
    }
  }

  return {
    take(message, nowMs) {
      messages += 1;
      const table = message.schema.namespace.split('.')[3] ?? '';
      if (message.protocol.type !== 'data_increment_data') return;
      if (table === PULSE_TABLE) takePulse(message, nowMs);
      else newest = message;
      const count = counts.get(table) ?? { rows: 0, before: 0 };
      count.rows += message.payload.length;
      counts.set(table, count);
    },
    read(nowMs) {
      const seconds = Math.max((nowMs - lastReadMs) / 1000, 0.001);
      lastReadMs = nowMs;
      const tables = [...counts.entries()]
        .map(([table, count]) => ({
          table,
          rows: count.rows,
          perSecond: (count.rows - count.before) / seconds,
        }))
        .sort((a, b) => a.table.localeCompare(b.table));
      for (const count of counts.values()) count.before = count.rows;
      const sorted = samples.toSorted((a, b) => a - b);
      return {
        rows: tables.reduce((sum, { rows: n }) => sum + n, 0),
        messages,
        tables,
        startMs: first?.tookMs ?? null,
        latency:
          sorted.length === 0
            ? null
            : { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), samples: taken },
        newest,
      };
    },
    get lastPulse() {
      return lastPulse;
    },
  };
}

import type { BeatDone, BeatRecord, BeatTrouble } from '../../change/beat-record.ts';
import { latencyMicros, type StatMessage } from '../../change/stat-message.ts';

/** The hops of a heartbeat after the source, in order. */
export const hops = ['captured', 'dispatched', 'appended', 'read'] as const;
export type Hop = (typeof hops)[number];

/** From the insert at the source to a hop, over the rounds that are remembered, in milliseconds. */
export interface HopTimes {
  readonly lastMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** A table as its heartbeats show it. */
export interface TableBeats {
  /** `schema.table`. */
  readonly table: string;
  /** Whether it is parked. */
  readonly status: 'ok' | 'abort';
  /** Number of its newest round. */
  readonly beat: number;
  /** Since its newest heartbeat was inserted, skew taken out. */
  readonly ageMs: number;
  /** Whether that is longer than a heartbeat may stay away, and no full pull holds it. */
  readonly late: boolean;
  /** The full pull that its changes and heartbeats wait for; null: they do not. */
  readonly held: string | null;
  /** Rows between its last two heartbeats. */
  readonly rows: number;
  /** Null for a hop that has not told anything. */
  readonly hops: Readonly<Record<Hop, HopTimes | null>>;
  /** Of the last hop that tells anything, the newest last. */
  readonly trendMs: readonly number[];
  /** A hop came before the insert: clocks differ by more than is known. Such times count as 0. */
  readonly clocksDiffer: boolean;
}

/** What the heartbeats of a line show at a moment. */
export interface BeatBoard {
  readonly tables: readonly TableBeats[];
  /** The newest round that the source has; null before the first. */
  readonly round: BeatDone | null;
  /** Why rounds fail now; null when they do not. */
  readonly trouble: BeatTrouble | null;
  /** All tables together. */
  readonly hops: Readonly<Record<Hop, HopTimes | null>>;
  /** How long a heartbeat may stay away. */
  readonly lateAfterMs: number;
  /** By how much the clock of this machine is ahead of the line's; null: not measured. */
  readonly clockAheadMs: number | null;
}

/** Rounds of a table that are remembered, and tables. */
const ROUNDS = 120;
const MAX_TABLES = 10_000;
/** A heartbeat is late after so many intervals, and not before so long. */
const LATE_ROUNDS = 3;
const LATE_MIN_MS = 5_000;
const MICROS = 1_000;

interface Round {
  readonly beat: number;
  readonly us: number;
  readonly skew: number | null;
  readonly times: Partial<Record<Hop, number>>;
}

interface TableMemory {
  status: 'ok' | 'abort';
  rows: number;
  rounds: Round[];
}

/** Gathers statistics and rounds as they come. */
export class BeatMemory {
  readonly #lateAfterMs: number | null;
  readonly #tables = new Map<string, TableMemory>();
  /** Names of full pulls by the tables that they hold. */
  #held: ReadonlyMap<string, string> = new Map();
  #round: BeatDone | null = null;
  #binlog: BeatDone['binlog'] = null;
  #trouble: BeatTrouble | null = null;
  #roundTimes: number[] = [];
  /** By how much the source's clock is ahead of ours. */
  #sourceAheadMicros: number | null = null;

  /** `lateAfterMs`: how long a heartbeat may stay away; null: three intervals, as they come. */
  constructor(lateAfterMs: number | null) {
    this.#lateAfterMs = lateAfterMs;
  }

  /** Takes by how much the source's clock is ahead of ours. */
  sourceAhead(micros: number | null): void {
    this.#sourceAheadMicros = micros;
  }

  /** By how much our clock is ahead of that of the line, which measures the source's too; null where one of the two is not known. */
  get clockAheadMs(): number | null {
    const skew = this.#round?.skewMicros ?? null;
    return skew === null || this.#sourceAheadMicros === null
      ? null
      : (skew - this.#sourceAheadMicros) / MICROS;
  }

  /** Takes what was noted of a round. */
  round(record: BeatRecord): void {
    if (record.kind === 'trouble') {
      this.#trouble = record;
      return;
    }
    this.#trouble = null;
    this.#binlog = record.binlog ?? this.#binlog;
    this.#round = { ...record, binlog: this.#binlog };
    this.#roundTimes.push(record.roundMs);
    if (this.#roundTimes.length > ROUNDS) this.#roundTimes.shift();
  }

  /** Takes a statistic. */
  stat({ schemaName, tableName, type, count, payload }: StatMessage): void {
    const name = `${schemaName}.${tableName}`;
    let table = this.#tables.get(name);
    if (table === undefined) {
      if (this.#tables.size >= MAX_TABLES) return;
      table = { status: 'ok', rows: 0, rounds: [] };
      this.#tables.set(name, table);
    }
    const { beat, us, skew } = payload;
    if (type !== 'DISPATCH_TYPE') {
      table.status = payload.status;
      if (type === 'APPENDER_TYPE' || beat > (table.rounds.at(-1)?.beat ?? 0)) table.rows = count;
    }
    const at = table.rounds.findLastIndex(round => round.beat === beat && round.us === us);
    const times: Partial<Record<Hop, number>> = { ...table.rounds[at]?.times };
    for (const hop of hops) {
      const value = payload[hop];
      // Where a table is on several partitions, the last one to arrive counts.
      if (value !== null) times[hop] = Math.max(times[hop] ?? 0, value);
    }
    const round = { beat, us, skew, times };
    if (at >= 0) table.rounds[at] = round;
    else {
      table.rounds.push(round);
      if (table.rounds.length > ROUNDS) table.rounds.shift();
    }
  }

  /** Forgets tables that have no heartbeats any more. */
  keep(has: (table: string) => boolean): void {
    for (const table of this.#tables.keys()) if (!has(table)) this.#tables.delete(table);
  }

  /** Takes which tables full pulls hold, with their names. */
  hold(held: ReadonlyMap<string, string>): void {
    this.#held = held;
  }

  /** What is known now. `nowMs`: by the clock of the line, milliseconds since 1970-01-01 UTC. */
  board(nowMs: number): BeatBoard {
    const lateAfterMs = this.#lateAfterMs ?? Math.max(LATE_MIN_MS, LATE_ROUNDS * this.#intervalMs());
    const tables = [...this.#tables]
      .map(([table, memory]) => tableBeats(table, memory, this.#held.get(table) ?? null, nowMs, lateAfterMs))
      .sort((a, b) => (a.table < b.table ? -1 : 1));
    const rounds = [...this.#tables.values()].flatMap(table => table.rounds);
    return {
      tables,
      round: this.#round,
      trouble: this.#trouble,
      hops: hopTimes(rounds.toSorted((a, b) => a.us - b.us)),
      lateAfterMs,
      clockAheadMs: this.clockAheadMs,
    };
  }

  #intervalMs(): number {
    const gaps = this.#roundTimes.slice(1).map((ms, i) => ms - (this.#roundTimes[i] ?? ms));
    return quantile(gaps, 0.5) ?? 0;
  }
}

function tableBeats(
  table: string,
  memory: TableMemory,
  held: string | null,
  nowMs: number,
  lateAfterMs: number,
): TableBeats {
  const { rounds, status, rows } = memory;
  // A round that a hop knows and the next does not yet is on its way.
  const lastHop = hops.findLast(hop => rounds.some(({ times }) => times[hop] !== undefined)) ?? 'captured';
  const arrived = rounds.filter(({ times }) => times[lastHop] !== undefined);
  const newest = arrived.at(-1);
  const ageMs =
    newest === undefined ? Number.POSITIVE_INFINITY : latencyMicros(newest, nowMs * MICROS) / MICROS;
  const latencies = rounds.flatMap(round =>
    hops.flatMap(hop => (round.times[hop] === undefined ? [] : [latencyMicros(round, round.times[hop])])),
  );
  return {
    table,
    status,
    beat: newest?.beat ?? 0,
    ageMs: Math.max(0, ageMs),
    late: held === null && ageMs > lateAfterMs,
    held,
    rows,
    hops: hopTimes(rounds),
    trendMs: arrived.map(round => Math.max(0, latencyMicros(round, round.times[lastHop] ?? 0)) / MICROS),
    clocksDiffer: latencies.some(micros => micros < -CLOCK_NOISE_MICROS),
  };
}

/** Two processes of one machine may read clocks so far apart. */
const CLOCK_NOISE_MICROS = 5_000;

function hopTimes(rounds: readonly Round[]): Readonly<Record<Hop, HopTimes | null>> {
  const of = (hop: Hop): HopTimes | null => {
    const values = rounds.flatMap(round => {
      const time = round.times[hop];
      return time === undefined ? [] : [Math.max(0, latencyMicros(round, time)) / MICROS];
    });
    const last = values.at(-1);
    if (last === undefined) return null;
    return { lastMs: last, p50Ms: quantile(values, 0.5) ?? last, p99Ms: quantile(values, 0.99) ?? last };
  };
  return {
    captured: of('captured'),
    dispatched: of('dispatched'),
    appended: of('appended'),
    read: of('read'),
  };
}

/** The smallest value that at least `share` of all do not exceed; null for none. */
function quantile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
}

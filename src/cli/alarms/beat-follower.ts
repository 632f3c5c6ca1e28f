import { Buffer } from 'node:buffer';
import type { BeatDone, BeatRecord } from '../../change/beat-record.ts';
import {
  type BinlogHorizon,
  binlogHorizon,
  type EarlierLook,
  lookOf,
  type ReadPlaceOf,
} from '../../change/binlog-horizon.ts';
import { STATISTIC_TOPIC, type StatMessage } from '../../change/stat-message.ts';
import type { Log, LogRecord, TopicDescription } from '../../ports/log.ts';
import type { HeartbeatSeen, TableBeats } from '../../telemetry/alarms/observation.ts';
import { TopicFollower } from './topic-follower.ts';

/** What came earlier than so long ago says nothing of now. */
const BACK_MS = 10 * 60_000;
/** Rounds that tell how far they are apart. */
const ROUNDS = 16;
/** Tables that are remembered. */
const TABLES_MAX = 10_000;

/** Reads what a line notes of its heartbeats, round after round. */
export class BeatFollower {
  readonly #ds: string;
  readonly #rounds: TopicFollower;
  readonly #statistics: TopicFollower;
  readonly #tables = new Map<string, TableBeats>();
  /** When the newest rounds began, oldest first. */
  readonly #roundsMs: number[] = [];
  #trouble: HeartbeatSeen['trouble'] = null;
  #binlog: BeatDone['binlog'] = null;
  #before: EarlierLook | null = null;

  constructor(log: Log, ds: string, nowMs: number) {
    this.#ds = ds;
    this.#rounds = new TopicFollower(log, { timestampMs: nowMs - BACK_MS });
    this.#statistics = new TopicFollower(log, { timestampMs: nowMs - BACK_MS });
  }

  /** Reads what is new. `topics`: all of the log. `told` is given each statistic of this line. */
  async follow(
    topics: readonly TopicDescription[],
    signal: AbortSignal,
    told: (stat: StatMessage) => void = () => {},
  ): Promise<void> {
    const named = (name: string) => topics.find(topic => topic.name === name);
    const rounds = named(`${this.#ds}_heartbeat`);
    if (rounds !== undefined)
      await this.#rounds.follow(rounds, signal, record => this.#round(jsonOf<BeatRecord>(record)));
    const statistics = named(STATISTIC_TOPIC);
    if (statistics === undefined) return;
    await this.#statistics.follow(statistics, signal, record => {
      const stat = jsonOf<StatMessage>(record);
      // On a cluster the topic is that of all lines.
      if (stat === null || stat.dsName !== this.#ds) return;
      this.#statistic(stat);
      told(stat);
    });
  }

  /** What is known of the rounds and of each table. */
  get seen(): HeartbeatSeen {
    const roundsMs = this.#roundsMs;
    const gaps = roundsMs.slice(1).map((ms, i) => ms - (roundsMs[i] ?? ms));
    return {
      roundMs: roundsMs.at(-1) ?? null,
      gapMs: gaps.length === 0 ? null : Math.max(...gaps),
      trouble: this.#trouble,
      tables: [...this.#tables.values()],
    };
  }

  /** How long the source still has what comes at `place`; null before its binlog was looked at. */
  horizon(place: ReadPlaceOf | null): BinlogHorizon | null {
    return place === null || this.#binlog === null ? null : binlogHorizon(this.#binlog, place, this.#before);
  }

  #round(record: BeatRecord | null): void {
    if (record === null) return;
    if (record.kind === 'trouble') {
      this.#trouble = { code: record.code, message: record.message, atMs: record.atMs };
      return;
    }
    this.#roundsMs.push(record.roundMs);
    if (this.#roundsMs.length > ROUNDS) this.#roundsMs.shift();
    this.#trouble = null;
    if (record.binlog === null) return;
    this.#before = this.#binlog === null ? this.#before : lookOf(this.#binlog);
    this.#binlog = record.binlog;
  }

  #statistic({ schemaName, tableName, type, txTimeMS, payload }: StatMessage): void {
    const table = `${schemaName}.${tableName}`;
    const before = this.#tables.get(table);
    if (before === undefined && this.#tables.size >= TABLES_MAX) return;
    const beats = before ?? { table, dispatchedMs: null, appendedMs: null, readMs: null, parked: false };
    const parked = type === 'DISPATCH_TYPE' ? beats.parked : payload.status === 'abort';
    this.#tables.set(table, { ...beats, parked, [hopOf[type]]: txTimeMS });
  }
}

const hopOf = { DISPATCH_TYPE: 'dispatchedMs', APPENDER_TYPE: 'appendedMs', HEART_BEAT: 'readMs' } as const;

/** Null for what is no JSON: the topic of statistics may have other writers. */
function jsonOf<T>({ value }: LogRecord): T | null {
  if (value === null) return null;
  try {
    return JSON.parse(Buffer.from(value).toString('utf8')) as T; // as the line writes it
  } catch {
    return null;
  }
}

import type { BeatRecord } from '../../change/beat-record.ts';
import { type BinlogHorizon, binlogHorizon, type EarlierLook, lookOf } from '../../change/binlog-horizon.ts';
import { STATISTIC_TOPIC, type StatMessage } from '../../change/stat-message.ts';
import type { Line } from '../../config/line.ts';
import type { Log, TopicPartition } from '../../ports/log.ts';
import { json } from '../../topology/serdes.ts';
import { HeldTables } from '../pull/held-tables.ts';
import { extractorStatus } from '../status/read-log.ts';
import type { BeatMemory } from './beat-board.ts';
import { BeatingTables } from './beating-tables.ts';

/** Records that are read back at the start: enough for some rounds of a thousand tables. */
const RECENT = 20_000n;
const READ_BYTES = 4 * 1024 * 1024;

interface Feed extends TopicPartition {
  offset: bigint | null;
  take(value: Uint8Array): void;
}

/** Reads the heartbeats of a line from its log, beside the process that runs the line. */
export class BeatReader {
  readonly #log: Log;
  readonly #line: Line;
  readonly #memory: BeatMemory;
  readonly #beating: BeatingTables;
  readonly #held: HeldTables;
  readonly #feeds: readonly Feed[];
  #binlog: Extract<BeatRecord, { kind: 'beat' }>['binlog'] = null;
  #before: EarlierLook | null = null;
  #arrived: StatMessage[] = [];

  constructor(log: Log, line: Line, memory: BeatMemory) {
    this.#log = log;
    this.#line = line;
    this.#memory = memory;
    this.#beating = new BeatingTables(log, line);
    this.#held = new HeldTables(log, line.ds);
    const statSerde = json<StatMessage>();
    const roundSerde = json<BeatRecord>();
    this.#feeds = [
      {
        topic: `${line.ds}_heartbeat`,
        partition: 0,
        offset: null,
        take: value => {
          const record = roundSerde.decode(value);
          memory.round(record);
          if (record.kind === 'beat' && record.binlog !== null) {
            this.#before ??= lookOf(record.binlog);
            this.#binlog = record.binlog;
          }
        },
      },
      {
        topic: STATISTIC_TOPIC,
        partition: 0,
        offset: null,
        take: value => {
          const stat = statSerde.decode(value);
          if (stat.dsName !== line.ds) return;
          memory.stat(stat);
          this.#arrived.push(stat);
        },
      },
    ];
  }

  /** Reads what there is and gives the statistics among it; of an older log the newest only. Waits up to `waitMs` where nothing is new. Errors: UMBUS_LOG_*. */
  async read(waitMs: number, signal: AbortSignal): Promise<readonly StatMessage[]> {
    this.#arrived = [];
    const topics = await this.#log.topics();
    for (const feed of this.#feeds) {
      const topic = topics.find(({ name }) => name === feed.topic);
      const extent = topic?.extents[0];
      if (extent === undefined) continue;
      if (feed.offset === null) {
        const recent = extent.latest - RECENT;
        feed.offset = recent > extent.earliest ? recent : extent.earliest;
      }
      await this.#drain(feed, extent.latest, signal);
    }
    await this.#beating.follow(topics, signal);
    this.#memory.keep(this.#beating.has);
    await this.#held.follow(topics, signal);
    this.#memory.hold(
      new Map(this.#held.tables.map(({ table, pull }) => [this.#beating.called(table), pull] as const)),
    );
    const [rounds, stats] = this.#feeds;
    const waited = stats?.offset === null || stats === undefined ? rounds : stats;
    if (this.#arrived.length === 0 && waitMs > 0 && waited?.offset != null) {
      await this.#batch(waited, waited.offset, waitMs, signal);
    }
    return this.#arrived;
  }

  /** How long the source keeps what the line has not read; null where it is not known. */
  async horizon(): Promise<BinlogHorizon | null> {
    if (this.#binlog === null) return null;
    const at = await extractorStatus(this.#log, await this.#log.topics(), this.#line.ds);
    if (at === null) return null;
    const writtenMs = Date.parse(at.eventAt ?? at.capturedAt);
    return binlogHorizon(this.#binlog, { file: at.file, position: at.position, writtenMs }, this.#before);
  }

  async #drain(feed: Feed, end: bigint, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && feed.offset !== null && feed.offset < end) {
      const before = feed.offset;
      await this.#batch(feed, feed.offset, 0, signal);
      if (feed.offset === before) return;
    }
  }

  async #batch(feed: Feed, offset: bigint, maxWaitMs: number, signal: AbortSignal): Promise<void> {
    const { topic, partition } = feed;
    const from = { topic, partition, offset };
    const batch = await this.#log.read(from, { maxBytes: READ_BYTES, maxWaitMs }, signal);
    for (const { value } of batch.records) if (value !== null) feed.take(value);
    feed.offset = batch.nextOffset;
  }
}

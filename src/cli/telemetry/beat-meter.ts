import type { ReadPlaceOf } from '../../change/binlog-horizon.ts';
import { latencyMicros, type StatMessage } from '../../change/stat-message.ts';
import type { Line } from '../../config/line.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log, TopicDescription } from '../../ports/log.ts';
import { type Gathered, gathered, type Metrics } from '../../ports/metrics.ts';
import { heartbeatMetrics } from '../../telemetry/metrics/heartbeat-metrics.ts';
import { BeatFollower } from '../alarms/beat-follower.ts';
import { BeatingTables } from '../heartbeat/beating-tables.ts';

/** Measures the heartbeats of a line from what its hops have noted. */
export class BeatMeter {
  readonly #follower: BeatFollower;
  readonly #beating: BeatingTables;
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  /** Seconds of the newest heartbeat, by table and hop. */
  readonly #last = new Map<string, ReadonlyMap<string, number>>();
  readonly #maxTables: number;

  constructor(log: Log, line: Line, clock: Clock, metrics: Metrics, maxTables: number) {
    this.#follower = new BeatFollower(log, line.ds, clock.now());
    this.#beating = new BeatingTables(log, line);
    this.#clock = clock;
    this.#metrics = metrics;
    this.#maxTables = maxTables;
  }

  /** Reads what is new and gives what is known. `topics`: all of the log; `place`: where the extractor stands. */
  async round(
    topics: readonly TopicDescription[],
    place: ReadPlaceOf | null,
    signal: AbortSignal,
  ): Promise<readonly Gathered[]> {
    await this.#follower.follow(topics, signal, stat => this.#take(stat));
    await this.#beating.follow(topics, signal);
    const { has } = this.#beating;
    for (const table of this.#last.keys()) if (!has(table)) this.#last.delete(table);
    const { roundMs, tables } = this.#follower.seen;
    const nowMs = this.#clock.now();
    const seconds = (atMs: number): number => Math.max(0, (nowMs - atMs) / 1000);
    const leftMs = this.#follower.horizon(place)?.leftMs ?? null;
    return [
      ...(roundMs === null ? [] : [gathered(heartbeatMetrics.roundAge, {}, seconds(roundMs))]),
      ...(leftMs === null ? [] : [gathered(heartbeatMetrics.purgeLeft, {}, leftMs / 1000)]),
      ...tables.flatMap(({ table, readMs }) =>
        readMs === null || !this.#last.has(table)
          ? []
          : [gathered(heartbeatMetrics.age, { table }, seconds(readMs))],
      ),
      ...[...this.#last].flatMap(([table, hops]) =>
        [...hops].map(([hop, value]) => gathered(heartbeatMetrics.last, { table, hop }, value)),
      ),
    ];
  }

  #take({ type, schemaName, tableName, payload }: StatMessage): void {
    if (type !== 'HEART_BEAT') return;
    const { captured, dispatched, appended, read } = payload;
    const hops = new Map<string, number>();
    for (const [hop, micros] of Object.entries({
      extractor: captured,
      dispatcher: dispatched,
      appender: appended,
      reader: read,
    })) {
      if (micros === null) continue;
      const seconds = Math.max(0, latencyMicros(payload, micros) / 1e6);
      hops.set(hop, seconds);
      this.#metrics.observe(heartbeatMetrics.latency, { hop }, seconds);
    }
    const table = `${schemaName}.${tableName}`;
    if (this.#last.has(table) || this.#last.size < this.#maxTables) this.#last.set(table, hops);
  }
}

import { Buffer } from 'node:buffer';
import type { Log, TopicDescription } from '../../ports/log.ts';
import { pullsStore } from '../../stages/pull-state.ts';
import { TopicFollower } from '../alarms/topic-follower.ts';
import { pullsTopic } from '../status/table-store.ts';

/** A table whose messages wait in the appender until a full pull of it is over. */
export interface HeldTable {
  /** Its name in the source, `schema.table`. */
  readonly table: string;
  /** Name of the pull. */
  readonly pull: string;
  /** When the source committed the watermark since which they wait: milliseconds since 1970-01-01 UTC, by its clock. */
  readonly sinceMs: number;
  /** Heartbeats among them. */
  readonly messages: number;
  readonly bytes: number;
}

/** Which tables are held by a full pull, by the appender's store. */
export class HeldTables {
  readonly #ds: string;
  readonly #store: TopicFollower;
  readonly #held = new Map<string, HeldTable>();

  constructor(log: Log, ds: string) {
    this.#ds = ds;
    this.#store = new TopicFollower(log, 'earliest');
  }

  /** Reads what is new. `topics`: those of the line, or more. Errors: UMBUS_LOG_*. */
  async follow(topics: readonly TopicDescription[], signal: AbortSignal): Promise<void> {
    const topic = pullsTopic(topics, this.#ds);
    if (topic === null) return;
    await this.#store.follow(topic, signal, ({ key, value }) => {
      const table = key === null ? '' : Buffer.from(key).toString('utf8');
      const state = value === null ? null : pullsStore.value.decode(value);
      if (state === null || state.held === null) {
        this.#held.delete(table);
        return;
      }
      const { pull, held } = state;
      const { count, bytes, at } = held;
      const sinceMs = at.seconds * 1000 + Math.max(0, Math.floor(at.micros / 1000));
      this.#held.set(table, { table, pull, sinceMs, messages: count, bytes });
    });
  }

  /** By name. */
  get tables(): readonly HeldTable[] {
    return [...this.#held.values()].sort((a, b) => (a.table < b.table ? -1 : 1));
  }
}

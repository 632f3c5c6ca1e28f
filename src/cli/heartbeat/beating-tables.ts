import { Buffer } from 'node:buffer';
import type { Line } from '../../config/line.ts';
import { logicalName } from '../../config/logical-tables.ts';
import type { Log, TopicDescription } from '../../ports/log.ts';
import { hasBeats, type TableState, tablesStore } from '../../stages/append.ts';
import type { LogicalName } from '../../ums/namespace.ts';
import { TopicFollower } from '../alarms/topic-follower.ts';
import { tablesTopic } from '../status/table-store.ts';

/** Which tables have heartbeats now, by the appender's store: no more of these come of one that was dropped, or has another name now. */
export class BeatingTables {
  readonly #line: Line;
  readonly #logical: LogicalName;
  readonly #store: TopicFollower;
  /** What heartbeats call them, by their names in the source. */
  readonly #names = new Map<string, string>();
  /** Told of each state as it is read; null for a table that is forgotten. */
  readonly #told: (table: string, state: TableState | null) => void;
  #known = false;

  constructor(log: Log, line: Line, told: (table: string, state: TableState | null) => void = () => {}) {
    this.#line = line;
    this.#logical = logicalName(line);
    this.#store = new TopicFollower(log, 'earliest');
    this.#told = told;
  }

  /** Reads what is new. `topics`: those of the line, or more. Errors: UMBUS_LOG_*. */
  async follow(topics: readonly TopicDescription[], signal: AbortSignal): Promise<void> {
    const topic = tablesTopic(topics, this.#line.ds);
    if (topic === null) return;
    this.#known = true;
    await this.#store.follow(topic, signal, ({ key, value }) => {
      const table = key === null ? '' : Buffer.from(key).toString('utf8');
      const state = value === null ? null : tablesStore.value.decode(value);
      if (state !== null && hasBeats(state)) this.#names.set(table, this.called(table));
      else this.#names.delete(table);
      this.#told(table, state);
    });
  }

  /** Whether heartbeats come of those that are called so, `schema.table`; true of all while no appender has run. */
  get has(): (table: string) => boolean {
    if (!this.#known) return () => true;
    const names = new Set(this.#names.values());
    return table => names.has(table);
  }

  /** What a table is called in its messages. */
  called(table: string): string {
    const [schema = ''] = table.split('.', 1);
    return `${schema}.${this.#logical(schema, table.slice(schema.length + 1))}`;
  }
}

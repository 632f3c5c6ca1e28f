import type { UmsField, UmsMessage, UmsValue } from '../ums/types.ts';
import { invalidUms } from './invalid.ts';
import { parseNamespace, type UmsNamespace } from './namespace.ts';
import { readUms } from './read.ts';
import type { UmsValues } from './rows.ts';
import {
  type Applied,
  KeptTable,
  type RenamedRows,
  type TableOptions,
  type TablePlace,
  type UmsTable,
} from './table.ts';

/**
 * A table in memory, built from its messages. Applying is idempotent: any stretch of a partition may come again. Partitions may be read in any interleaving: when all have
 * been read up to one place in the source's order, the table is what it was there; while one is behind, its rows are as it has them.
 *
 * - With a key (the message's `primaryKey`, or `options.key`) the newest `ums_uid_` of a row wins; an update that changes the key
 *   removes the old row by its before image. Tombstones of deleted rows are bounded by `maxTombstones` without harm to the stream;
 *   the bound should be above the number of rows deleted during one full pull.
 * - Without a key the table is a bag of rows: updates and deletes find their row by all its values.
 * - A termination with reason `truncate` or `drop` empties the table. At a change of columns the rows stay: columns that are gone
 *   are taken out, new ones are null until the row is written again, since the server does not log the values it fills in. Without
 *   a key such a row is not found again when the server filled in something else.
 *
 * - A termination with reason `rename` takes the rows away: among the tables of `createTables` to the new name, otherwise they are gone. After `reload` the rows stay, though some of them
 *   are others in the source.
 * - Of a table on several partitions the newest `ums_uid_` of a key wins over all of them. A `truncate` or `drop` that one partition knows of hides the rows of the
 *   others that do not yet.
 * - A logical table has its tables apart, by part 7 of the namespace: each has versions, keys and terminations of its own, and equal keys in two of them are two rows.
 *
 * Errors of `apply`: UMBUS_UMS_INVALID.
 */
export function createTable(options: TableOptions = {}): UmsTable {
  return new JoinedTable(options);
}

/** A table by the name that messages have for it: one of the source, or all of a logical one, told apart by part 7 of the namespace. */
export class JoinedTable implements UmsTable {
  readonly #options: TableOptions;
  readonly #tellRenamed: (rows: RenamedRows) => void;
  readonly #parts = new Map<string, KeptTable>();
  /** The table of the newest message. */
  #front: KeptTable | null = null;
  #place: UmsNamespace | null = null;

  /** `tellRenamed` is given the rows of a table that has another name. */
  constructor(options: TableOptions, tellRenamed: (rows: RenamedRows) => void = () => {}) {
    this.#options = options;
    this.#tellRenamed = tellRenamed;
  }

  apply(input: UmsMessage | Uint8Array, partition = 0): Applied {
    const message = input instanceof Uint8Array ? readUms(input) : input;
    return this.take(message, parseNamespace(message.schema.namespace), partition);
  }

  /** As `apply`; `place`: the message's namespace. */
  take(message: UmsMessage, place: UmsNamespace, partition: number): Applied {
    if (this.#place !== null && !sameTable(this.#place, place)) {
      throw invalidUms('it belongs to another table than the messages before it', null);
    }
    if (message.protocol.type === 'data_increment_heartbeat') {
      return { rows: 0, repeats: 0, unmatched: 0, ended: null };
    }
    const { tablePartition: part } = place;
    const table = this.#parts.get(part) ?? this.#newPart();
    const before = this.#place;
    this.#place = place;
    try {
      const applied = table.apply(message, place, partition);
      this.#parts.set(part, table);
      this.#front = table;
      return applied;
    } catch (error) {
      this.#place = before;
      throw error;
    }
  }

  /** Takes rows that had another name until then. */
  adopt({ to, ...rows }: RenamedRows): void {
    const table = this.#parts.get(to.part) ?? this.#newPart();
    this.#parts.set(to.part, table);
    table.adopt(rows);
  }

  /** The table with a part 7. */
  part(part: TablePlace['part']): KeptTable | undefined {
    return this.#parts.get(part);
  }

  get(...key: readonly UmsValue[]): UmsValues | undefined {
    for (const table of this.#parts.values()) {
      const values = table.get(...key);
      if (values !== undefined) return values;
    }
    return undefined;
  }

  *rows(): Generator<UmsValues> {
    for (const table of this.#parts.values()) yield* table.rows();
  }

  get size(): number {
    let size = 0;
    for (const table of this.#parts.values()) size += table.size;
    return size;
  }

  get fields(): readonly UmsField[] {
    return this.#shape?.fields ?? [];
  }

  get namespace(): UmsNamespace | null {
    return this.#front?.namespace ?? null;
  }

  get key(): readonly string[] | null {
    return this.#shape?.key ?? null;
  }

  /** The table whose columns are shown: that of the newest message, unless its rows have gone elsewhere. */
  get #shape(): KeptTable | null {
    const front = this.#front;
    if (front !== null && front.fields.length > 0) return front;
    return [...this.#parts.values()].find(({ fields }) => fields.length > 0) ?? front;
  }

  #newPart(): KeptTable {
    return new KeptTable(this.#options, rows => this.#moved(rows));
  }

  /** Rows that go to another table: to one of the same logical table, or elsewhere. */
  #moved(rows: RenamedRows): void {
    const own = this.#place;
    if (own !== null && rows.to.name === `${own.schema}.${own.table}`) this.adopt(rows);
    else this.#tellRenamed(rows);
  }
}

function sameTable(a: UmsNamespace, b: UmsNamespace): boolean {
  return a.source === b.source && a.ds === b.ds && a.schema === b.schema && a.table === b.table;
}

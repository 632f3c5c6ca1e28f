import type { UmsMessage } from '../ums/types.ts';
import { JoinedTable } from './joined-table.ts';
import { parseNamespace } from './namespace.ts';
import { readUms } from './read.ts';
import type { Applied, KeptRows, TableOptions, UmsTable } from './table.ts';

/** All tables of one or more result topics. */
export interface UmsTables {
  /**
   * Takes a message in, making its table when it is the first. `partition`: the one of its topic that it was read from; to be given when rows are placed by key.
   * Errors: UMBUS_UMS_INVALID.
   */
  apply(message: UmsMessage | Uint8Array, partition?: number): Applied;
  /** By `schema.table`; a logical table has the rows of all its tables. */
  get(name: string): UmsTable | undefined;
  /** One table of a logical one, by part 7 of its namespace. */
  get(name: string, part: string): KeptRows | undefined;
  /** Name (`schema.table`) and table, in order of first sight. */
  entries(): Iterable<readonly [string, UmsTable]>;
}

/**
 * Tables by `schema.table`, each as `createTable` keeps it. `options` may differ by table. One data source only: a table of the same name from another is refused.
 *
 * When a table is renamed its rows go on under the new name, in whatever order the partitions of the two are read: the newest `ums_uid_` of a key wins. Of a table without a key the
 * old name's partition must not be read later than the new one's, or removals in between find no row.
 */
export function createTables(options: (name: string) => TableOptions = () => ({})): UmsTables {
  const tables = new Map<string, JoinedTable>();
  const tableOf = (name: string): JoinedTable => {
    const known = tables.get(name);
    if (known !== undefined) return known;
    return new JoinedTable(options(name), rows => {
      const target = tableOf(rows.to.name);
      tables.set(rows.to.name, target);
      target.adopt(rows);
    });
  };
  function get(name: string): UmsTable | undefined;
  function get(name: string, part: string): KeptRows | undefined;
  function get(name: string, part?: string): KeptRows | undefined {
    const table = tables.get(name);
    return part === undefined ? table : table?.part(part);
  }
  return {
    apply(input, partition = 0) {
      const message = input instanceof Uint8Array ? readUms(input) : input;
      const place = parseNamespace(message.schema.namespace);
      const name = `${place.schema}.${place.table}`;
      const kept = tableOf(name);
      const applied = kept.take(message, place, partition);
      tables.set(name, kept);
      return applied;
    },
    get,
    entries: () => tables.entries(),
  };
}

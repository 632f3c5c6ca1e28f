import type { UmsMessage } from '../ums/types.ts';
import { parseNamespace } from './namespace.ts';
import { readUms } from './read.ts';
import { type Applied, KeptTable, type TableOptions, type UmsTable } from './table.ts';

/** All tables of one or more result topics. */
export interface UmsTables {
  /**
   * Takes a message in, making its table when it is the first. `partition`: the one of its topic that it was read from; to be given when rows are placed by key.
   * Errors: UMBUS_UMS_INVALID.
   */
  apply(message: UmsMessage | Uint8Array, partition?: number): Applied;
  /** By `schema.table`. */
  get(name: string): UmsTable | undefined;
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
  const tables = new Map<string, KeptTable>();
  const tableOf = (name: string): KeptTable => {
    const known = tables.get(name);
    if (known !== undefined) return known;
    const created: KeptTable = new KeptTable(options(name), ({ to, ...rows }) => {
      const target = tables.get(to) ?? tableOf(to);
      tables.set(to, target);
      target.adopt(rows);
    });
    return created;
  };
  return {
    apply(input, partition = 0) {
      const message = input instanceof Uint8Array ? readUms(input) : input;
      const { schema, table } = parseNamespace(message.schema.namespace);
      const name = `${schema}.${table}`;
      const kept = tableOf(name);
      const applied = kept.apply(message, partition);
      tables.set(name, kept);
      return applied;
    },
    get: name => tables.get(name),
    entries: () => tables.entries(),
  };
}

import type { UmsMessage } from '../ums/types.ts';
import { parseNamespace } from './namespace.ts';
import { readUms } from './read.ts';
import { type Applied, createTable, type TableOptions, type UmsTable } from './table.ts';

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
 * Tables by `schema.table`, each as {@link createTable} keeps it. `options` may differ by table. One data source only: a table of the
 * same name from another is refused.
 */
export function createTables(options: (name: string) => TableOptions = () => ({})): UmsTables {
  const tables = new Map<string, UmsTable>();
  return {
    apply(input, partition = 0) {
      const message = input instanceof Uint8Array ? readUms(input) : input;
      const { schema, table } = parseNamespace(message.schema.namespace);
      const name = `${schema}.${table}`;
      const known = tables.get(name);
      if (known !== undefined) return known.apply(message, partition);
      const created = createTable(options(name));
      const applied = created.apply(message, partition);
      tables.set(name, created);
      return applied;
    },
    get: name => tables.get(name),
    entries: () => tables.entries(),
  };
}

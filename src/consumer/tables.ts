import type { UmsMessage } from '../ums/types.ts';
import { parseNamespace } from './namespace.ts';
import { readUms } from './read.ts';
import { type Applied, createTable, type TableOptions, type UmsTable } from './table.ts';

/** All tables of one or more result topics. */
export interface UmsTables {
  /** Takes a message in, making its table when it is the first. Errors: UMBUS_UMS_INVALID. */
  apply(message: UmsMessage | Uint8Array): Applied;
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
    apply(input) {
      const message = input instanceof Uint8Array ? readUms(input) : input;
      const { schema, table } = parseNamespace(message.schema.namespace);
      const name = `${schema}.${table}`;
      const known = tables.get(name);
      if (known !== undefined) return known.apply(message);
      const created = createTable(options(name));
      const applied = created.apply(message);
      tables.set(name, created);
      return applied;
    },
    get: name => tables.get(name),
    entries: () => tables.entries(),
  };
}

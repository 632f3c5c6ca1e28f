/** The table that messages speak of. */
export interface TableName {
  readonly schema: string;
  readonly table: string;
  /** Part 7 of the namespace: which table of a logical one; default {@link ORDINARY_PART}. */
  readonly part?: string;
}

/** Gives the logical name of a table by the names of its schema and itself: its own, for an ordinary table. */
export type LogicalName = (schema: string, table: string) => string;

/** Where there are no logical tables. */
export const OWN_NAME: LogicalName = (_, table) => table;

/** Part 7 of the namespace of a table that is not one of several of a logical table. */
export const ORDINARY_PART = '0';

/** Part 7 of the namespace of a heartbeat of all tables of a logical one, as DBUS has it. */
export const ALL_PARTS = '*';

/** `<type>.<ds>.<schema>.<table>.<version>.0.<part>`: what a message is about (ums-schema/README.md). */
export function namespaceOf(ds: string, name: TableName, version: number): string {
  return `mysql.${ds}.${name.schema}.${name.table}.${version}.0.${name.part ?? ORDINARY_PART}`;
}

/** What the messages of a table call it. */
export function publishedName(logical: LogicalName, { schema, table }: TableName): Required<TableName> {
  const name = logical(schema, table);
  return { schema, table: name, part: name === table ? ORDINARY_PART : partOf(table) };
}

/** The name of a table as a part of a namespace: what would be taken for something else there is written as `%` and two hexadecimal digits. */
function partOf(table: string): string {
  if (table === ORDINARY_PART) return '%30';
  return table.replaceAll(/[%.*|]/g, sign => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** The topic that the messages of a schema's tables go to. */
export function resultTopicOf(ds: string, schema: string): string {
  return `${ds}.${schema}.result`;
}

/** The topic of what becomes of full pulls: `<ds>_pull`. */
export function pullTopicOf(ds: string): string {
  return `${ds}_pull`;
}

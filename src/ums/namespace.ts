/** The table that messages speak of. */
export interface TableName {
  readonly schema: string;
  readonly table: string;
}

/** `<type>.<ds>.<schema>.<table>.<version>.0.0`: what a message is about (ums-schema/README.md). */
export function namespaceOf(ds: string, name: TableName, version: number): string {
  return `mysql.${ds}.${name.schema}.${name.table}.${version}.0.0`;
}

/** The topic that the messages of a schema's tables go to. */
export function resultTopicOf(ds: string, schema: string): string {
  return `${ds}.${schema}.result`;
}

/** The topic of what becomes of full pulls: `<ds>_pull`. */
export function pullTopicOf(ds: string): string {
  return `${ds}_pull`;
}

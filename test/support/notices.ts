import { readSchemaNotice, type SchemaNotice } from '../../src/consumer/index.ts';
import type { Log } from '../../src/ports/log.ts';
import { recordsOf } from './published.ts';

/** The notices of a table (`schema.table`) of a line, in order. */
export async function noticesOf(log: Log, ds: string, name: string): Promise<readonly SchemaNotice[]> {
  const notices: SchemaNotice[] = [];
  for await (const { record } of recordsOf(log, `${ds}_schema`)) {
    if (record.value !== null) notices.push(readSchemaNotice(record.value));
  }
  return notices.filter(({ schema, table }) => `${schema}.${table}` === name);
}

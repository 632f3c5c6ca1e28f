import { compileRows } from '../../binlog/rows/compile.ts';
import type { Line } from '../../config/line.ts';
import { UmbusError } from '../../core/errors.ts';
import { valueOfText } from '../../masking/typed-value.ts';
import { SYSTEM_FIELDS } from '../../ums/message.ts';
import { TupleBuffer, viewOf } from '../../ums/tuple-buffer.ts';
import { TuplePrefix } from '../../ums/tuple-prefix.ts';
import { UMS_TYPES, type UmsField, type UmsValue } from '../../ums/types.ts';
import { zoneOf } from '../../ums/zone.ts';
import type { PlainRows } from './side-by-side.ts';

/** A table of a line by what the user calls it. */
export interface NamedTable {
  readonly schema: string;
  readonly table: string;
}

/** The table that `schema.table`, or `table` in a line of one schema, names. Errors: UMBUS_USAGE. */
export function tableNamed(name: string, { schemas }: Pick<Line, 'schemas'>): NamedTable {
  const names = Object.keys(schemas);
  const schema = names.find(each => name.startsWith(`${each}.`) && name.length > each.length + 1);
  if (schema !== undefined) return { schema, table: name.slice(schema.length + 1) };
  const [only, ...more] = names;
  if (only !== undefined && more.length === 0) return { schema: only, table: name };
  throw new UmbusError(
    'UMBUS_USAGE',
    `Name the table with its schema, such as ${only ?? 'shop'}.${name}: the line has ${names.join(', ')}.`,
  );
}

/** Rows of the source, as changes of them would be published without masks. Errors: UMBUS_USAGE when there is no such table, UMBUS_SOURCE_*, those of `compileRows`. */
export async function sourceRows(
  line: Line,
  { schema, table }: NamedTable,
  limit: number,
  signal: AbortSignal,
): Promise<PlainRows> {
  const { sampleRows } = await import('../../adapters/mysql/index.ts');
  const sample = await sampleRows(line.source, schema, table, limit, signal);
  if (sample === null) throw new UmbusError('UMBUS_USAGE', `The source has no table ${schema}.${table}.`);
  const { map, images } = sample;
  const writer = compileRows(map, { zone: zoneOf(line.appender.timeZone) });
  const prefix = new TuplePrefix();
  prefix.file(1, 1);
  prefix.time(0, -1);
  prefix.event(4, 'i');
  const out = new TupleBuffer();
  const rows: UmsValue[][] = [];
  for (let o = 0; o < images.length; ) {
    out.clear();
    o = writer.rows(images, viewOf(images), o, images.length, out, prefix, 1, Number.POSITIVE_INFINITY);
    // A tuple that we wrote, and the comma behind it.
    const { tuple } = JSON.parse(out.bytes.toString('utf8', 0, out.length - 1)) as { tuple: UmsValue[] };
    rows.push(tuple.slice(SYSTEM_FIELDS.length));
  }
  return { table: `${schema}.${table}`, fields: writer.fields, primaryKey: writer.primaryKey, rows };
}

/** One row of values that the user gives, each as `column=text` or `column:type=text`; without a type it is a `string`. Errors: UMBUS_USAGE. */
export function givenRow({ schema, table }: NamedTable, values: readonly string[]): PlainRows {
  const fields: UmsField[] = [];
  const row: UmsValue[] = [];
  for (const given of values) {
    const [, name, type = 'string', text] = /^([^=:]+)(?::([a-z]+))?=([\s\S]*)$/.exec(given) ?? [];
    const known = UMS_TYPES.find(each => each === type);
    if (name === undefined || text === undefined || known === undefined) {
      throw new UmbusError(
        'UMBUS_USAGE',
        `--value takes column=text or column:type=text, with a type of ${UMS_TYPES.join(', ')}.`,
      );
    }
    const value = known === 'jsonobject' ? text : valueOfText(known, text);
    if (value === null)
      throw new UmbusError('UMBUS_USAGE', `The text given for ${name} is no value of type ${known}.`);
    fields.push({ name, type: known, nullable: true, encoded: false });
    row.push(value);
  }
  return { table: `${schema}.${table}`, fields, primaryKey: [], rows: [row] };
}

import { parseNamespace } from '../../consumer/namespace.ts';
import { readUms } from '../../consumer/read.ts';
import { rows } from '../../consumer/rows.ts';
import { isUmbusError } from '../../core/errors.ts';
import { isAbsent, type UmsField, type UmsMessage, type UmsValue } from '../../ums/types.ts';
import type { Style } from '../terminal.ts';
import { plainText, shortText } from './plain-text.ts';

const VALUE_CHARACTERS = 80;

const operationStyles: Readonly<Record<string, Style>> = { i: 'green', u: 'yellow', d: 'red', b: 'dim' };

type Paint = (style: Style, text: string) => string;

/** The UMS message in a record value; null when it is something else. */
export function umsOf(value: Uint8Array): UmsMessage | null {
  if (value[0] !== 0x7b) return null;
  try {
    return readUms(value);
  } catch (error) {
    if (isUmbusError(error, 'UMBUS_UMS_INVALID')) return null;
    throw error;
  }
}

/** One line a row: `u  30000000004711  2026-11-21 01:02:03.000000  shop.orders  id=7 total=12.50 note="paid"`. */
export function umsLines(message: UmsMessage, paint: Paint): readonly string[] {
  const { schema, table, version } = parseNamespace(message.schema.namespace);
  const name = plainText(`${schema}.${table}`);
  const lines: string[] = [];
  const fields = new Map(message.schema.fields.map(field => [field.name, field]));
  for (const row of rows(message)) {
    const values = Object.entries(row.values).map(
      ([column, value]) => `${plainText(column)}=${valueText(value, fields.get(column))}`,
    );
    const operation = paint(operationStyles[row.op] ?? 'bold', row.op);
    lines.push(
      `${operation}  ${row.id}  ${paint('dim', plainText(row.ts))}  ${paint('bold', name)}  ${values.join(' ')}`,
    );
  }
  if (lines.length > 0) return lines;
  const { batch, batchId } = message.schema;
  const pulled = batch === undefined ? '' : ` (batch ${batchId ?? 0} ${batch.state})`;
  const reason = message.schema.reason === undefined ? pulled : ` (${message.schema.reason})`;
  const first = message.payload[0]?.tuple.map(value => plainText(String(value))).join(' ') ?? '';
  return [
    `${paint('cyan', message.protocol.type)}${reason}  ${first}  ${paint('bold', name)} version ${version}`,
  ];
}

/** Numbers, `long` and `decimal` bare, other texts in quotes, NULL for null, ABSENT for what the row image lacks; long values cut. */
function valueText(value: UmsValue, field: UmsField | undefined): string {
  if (value === null) return 'NULL';
  if (typeof value === 'object') return isAbsent(value) ? 'ABSENT' : plainText(JSON.stringify(value));
  const bare = typeof value !== 'string' || field?.type === 'long' || field?.type === 'decimal';
  if (bare) return plainText(String(value));
  return plainText(JSON.stringify(shortText(value, VALUE_CHARACTERS)));
}

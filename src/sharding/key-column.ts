import { Buffer } from 'node:buffer';
import { UmbusError } from '../core/errors.ts';

/** How the values of a key column are written into SQL, so that the server, and nobody else, compares them. */
export type KeyForm =
  /** Digits of an integer, a decimal or a year. */
  | 'number'
  /** Bytes of a BIT, as the number that they are. */
  | 'bits'
  /** DATE, TIME, DATETIME, TIMESTAMP (in UTC), UUID, INET4, INET6: the server's own text. */
  | 'text'
  /** Bytes of BINARY and VARBINARY. */
  | 'binary'
  /** Bytes in a character set, compared by a collation. */
  | 'string';

/** A column that shards are cut by. */
export interface KeyColumn {
  readonly name: string;
  readonly form: KeyForm;
  /** Of a `string`, as the server names them; '' for others. */
  readonly charset: string;
  readonly collation: string;
}

/** A column as information_schema tells it. */
export interface SourceColumn {
  readonly name: string;
  /** `DATA_TYPE` in lower case. */
  readonly dataType: string;
  readonly nullable: boolean;
  /** Null for columns without text. */
  readonly charset: string | null;
  readonly collation: string | null;
}

const FORMS: Readonly<Record<string, KeyForm>> = {
  tinyint: 'number',
  smallint: 'number',
  mediumint: 'number',
  int: 'number',
  bigint: 'number',
  decimal: 'number',
  year: 'number',
  bit: 'bits',
  date: 'text',
  time: 'text',
  datetime: 'text',
  timestamp: 'text',
  uuid: 'text',
  inet4: 'text',
  inet6: 'text',
  binary: 'binary',
  varbinary: 'binary',
  char: 'string',
  varchar: 'string',
};

/**
 * The key column that a source column can be; null where a value cannot be written so that the server orders it as its index does: FLOAT and DOUBLE have no exact text, ENUM and SET
 * are compared as text and ordered as numbers.
 */
export function keyColumnOf(column: SourceColumn): KeyColumn | null {
  const form = FORMS[column.dataType];
  if (form === undefined) return null;
  if (form !== 'string') return { name: column.name, form, charset: '', collation: '' };
  const { charset, collation, name } = column;
  if (charset === null || collation === null) return null;
  return charset === 'binary'
    ? { name, form: 'binary', charset: '', collation: '' }
    : { name, form, charset, collation };
}

const NUMBER = /^-?\d+(?:\.\d+)?$/;
const TEXT = /^[0-9A-Za-z:. +-]+$/;
const WORD = /^[A-Za-z0-9_]+$/;

/**
 * The SQL literal of a key value, from its bytes as a text result with `character_set_results = NULL` has them. Holds hexadecimal digits, or characters that end no literal, and nothing
 * else. Errors: UMBUS_PULL_KEY for bytes that are no value of the column.
 */
export function keyLiteral(column: KeyColumn, bytes: Uint8Array): string {
  const hex = (): string => Buffer.from(bytes).toString('hex');
  switch (column.form) {
    case 'number':
      return checked(column, bytes, NUMBER);
    case 'bits':
      return bytes.length === 0 ? '0' : BigInt(`0x${hex()}`).toString();
    case 'text':
      return `'${checked(column, bytes, TEXT)}'`;
    case 'binary':
      return `X'${hex()}'`;
    case 'string':
      if (!WORD.test(column.charset) || !WORD.test(column.collation)) throw unusable(column);
      return `_${column.charset} X'${hex()}' COLLATE ${column.collation}`;
  }
}

function checked(column: KeyColumn, bytes: Uint8Array, form: RegExp): string {
  const text = Buffer.from(bytes).toString('latin1');
  if (!form.test(text)) throw unusable(column);
  return text;
}

function unusable({ name }: KeyColumn): UmbusError {
  return new UmbusError('UMBUS_PULL_KEY', `A value of key column ${name} is not in the form of its type.`, {
    details: { column: name },
  });
}

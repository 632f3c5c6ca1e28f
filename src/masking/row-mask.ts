import { Buffer } from 'node:buffer';
import { writeDouble, writeFloat } from '../binlog/rows/float-text.ts';
import type { RowMask } from '../binlog/rows/row-mask.ts';
import { UmbusError } from '../core/errors.ts';
import { valueEnd } from '../ums/placing-key.ts';
import type { TupleBuffer } from '../ums/tuple-buffer.ts';
import { isAbsent, type UmsField, type UmsValue } from '../ums/types.ts';
import { columnMask } from './column-mask.ts';
import { type ColumnMask, MaskFault, type PlainValue, type RowValues, type TableMasks } from './mask-spec.ts';
import { fits } from './typed-value.ts';

/** A masked value may be longer than the plain one by a factor, and by as much as this. */
const GROWTH_FACTOR = 4;
const GROWTH_BYTES = 64 * 1024;

const LETTER_N = 110;
const QUOTE = 34;

/** A column that is masked. */
interface Masked {
  readonly name: string;
  readonly field: UmsField;
  readonly mask: ColumnMask;
  /** Of the rule, for messages. */
  readonly kind: string;
  readonly pattern: string;
  /** Place among {@link RowMask.columns}. */
  readonly slot: number;
}

/**
 * What masks the rows of a table with these columns: null when no rule matches one. Both ways by which rows come, changes and full pulls, use it. Errors: UMBUS_MASK_UNFIT for
 * a mask that does not fit its column, or needs a column that the table does not have.
 */
export function maskPlan(
  masks: TableMasks | null,
  table: string,
  fields: readonly UmsField[],
  primaryKey: readonly string[],
): RowMask | null {
  const ruled = fields.flatMap((field, index) => {
    const rule = masks?.ruleOf(field.name) ?? null;
    if (rule === null || masks === null) return [];
    const column = { name: field.name, type: field.type, key: primaryKey.includes(field.name) };
    return [{ field, index, rule, mask: columnMask(table, column, rule, masks.functions) }];
  });
  if (ruled.length === 0) return null;
  const wanted = new Set(ruled.map(({ index }) => index));
  for (const { field, rule, mask } of ruled) {
    for (const name of mask.needs === 'all' ? fields.map(each => each.name) : mask.needs) {
      const index = fields.findIndex(each => each.name === name);
      if (index < 0) throw lacking(table, field.name, rule.spec.kind, name);
      wanted.add(index);
    }
  }
  const columns = [...wanted].sort((a, b) => a - b);
  const shown = fields.map((field, index) => {
    const own = ruled.find(each => each.index === index);
    if (own === undefined) return field;
    return { ...field, nullable: field.nullable || own.rule.spec.kind === 'null', encoded: true };
  });
  return new TupleMask(
    table,
    shown,
    columns,
    fields.map(({ name }) => name),
    ruled.some(({ field, mask }) => mask.needs.length > 0 && primaryKey.includes(field.name)),
    ruled.map(({ field, index, rule, mask }) => ({
      name: field.name,
      field: shown[index] ?? field,
      mask,
      kind: rule.spec.kind,
      pattern: rule.pattern,
      slot: columns.indexOf(index),
    })),
  );
}

/** Masks a tuple that is written already: `p` is the place of the comma before its first column. As {@link RowMask.apply}, which wants the places of the columns. */
export function maskTuple(mask: RowMask, out: TupleBuffer, p: number, end: number, spare: number): number {
  const places = new Float64Array(2 * mask.columns.length);
  const last = mask.columns.at(-1) ?? -1;
  let at = p;
  let slot = 0;
  for (let column = 0; column <= last; column++) {
    const start = at + 1;
    at = valueEnd(out.bytes, start);
    if (mask.columns[slot] !== column) continue;
    places[2 * slot] = start;
    places[2 * slot + 1] = at;
    slot++;
  }
  return mask.apply(out, places, end, spare);
}

class TupleMask implements RowMask {
  readonly fields: readonly UmsField[];
  readonly columns: readonly number[];
  readonly rekeys: boolean;
  readonly #table: string;
  readonly #names: readonly string[];
  readonly #masked: readonly Masked[];
  /** A tuple as it was, while the masked one is put in its place. */
  #plain = Buffer.alloc(4096);
  /** The tuple in hand: its bytes, where its columns are, and the texts of its masked values. */
  #bytes: Buffer = this.#plain;
  #places: Float64Array = new Float64Array();
  readonly #texts: (string | null)[] = [];
  readonly #row: RowValues;

  constructor(
    table: string,
    fields: readonly UmsField[],
    columns: readonly number[],
    names: readonly string[],
    rekeys: boolean,
    masked: readonly Masked[],
  ) {
    this.#table = table;
    this.fields = fields;
    this.columns = columns;
    this.#names = names;
    this.rekeys = rekeys;
    this.#masked = masked;
    this.#row = { names, of: name => this.#valueOf(name) };
  }

  apply(out: TupleBuffer, places: Float64Array, p: number, spare: number): number {
    this.#bytes = out.bytes;
    this.#places = places;
    const texts = this.#texts;
    let growth = 0;
    for (let i = 0; i < this.#masked.length; i++) {
      const each = this.#masked[i] as Masked; // below the length
      const start = places[2 * each.slot] ?? 0;
      const end = places[2 * each.slot + 1] ?? 0;
      const text = this.#maskedText(each, start, end);
      texts[i] = text;
      if (text !== null) growth += Buffer.byteLength(text, 'utf8') - (end - start);
    }
    out.grow(p, Math.max(0, growth) + spare);
    return this.#replace(out, places, p);
  }

  /** Writes the tuple anew from its first masked value on. */
  #replace(out: TupleBuffer, places: Float64Array, p: number): number {
    const texts = this.#texts;
    let first = 0;
    while (first < texts.length && texts[first] === null) first++;
    if (first === texts.length) return p;
    const from = places[2 * (this.#masked[first]?.slot ?? 0)] ?? 0;
    if (p - from > this.#plain.length) this.#plain = Buffer.alloc(2 * (p - from));
    const plain = this.#plain;
    out.bytes.copy(plain, 0, from, p);
    let read = 0;
    let at = from;
    for (let i = first; i < texts.length; i++) {
      const text = texts[i];
      if (text == null) continue;
      const { slot } = this.#masked[i] as Masked; // as many as texts
      at += plain.copy(out.bytes, at, read, (places[2 * slot] ?? 0) - from);
      at += out.bytes.write(text, at, 'utf8');
      read = (places[2 * slot + 1] ?? 0) - from;
    }
    return at + plain.copy(out.bytes, at, read, p - from);
  }

  /** The JSON text of the masked value; null for what stays: NULL, and what the row image lacks. */
  #maskedText(each: Masked, start: number, end: number): string | null {
    try {
      const value = parsed(this.#bytes, start, end);
      if (value === null || isAbsent(value)) return null;
      const text = jsonOf(each.field, each.mask.mask(plainOf(each.field, value), this.#row));
      if (text.length <= GROWTH_BYTES + GROWTH_FACTOR * (end - start)) return text;
      throw new MaskFault('gave a value that is too large');
    } catch (error) {
      // What was thrown may hold the value, in its message, its name or anything that it carries along.
      throw this.#failed(each, error instanceof MaskFault ? error.message : 'has failed');
    }
  }

  #failed({ name, kind, pattern }: Masked, why: string): UmbusError {
    return new UmbusError(
      'UMBUS_MASK_FAILED',
      `The mask ${kind} (${pattern}) of column ${this.#table}.${name} ${why}.`,
      { details: { table: this.#table, column: name, mask: kind } },
    );
  }

  #valueOf(name: string): UmsValue | undefined {
    const slot = this.columns.indexOf(this.#names.indexOf(name));
    if (slot < 0) return undefined;
    const value = parsed(this.#bytes, this.#places[2 * slot] ?? 0, this.#places[2 * slot + 1] ?? 0);
    return isAbsent(value) ? undefined : value;
  }
}

/** A value of a tuple that we wrote. */
function parsed(bytes: Buffer, start: number, end: number): UmsValue {
  if (bytes[start] === LETTER_N) return null;
  if (bytes[start] === QUOTE) {
    const text = bytes.toString('utf8', start + 1, end - 1);
    if (!text.includes('\\')) return text;
  }
  return JSON.parse(bytes.toString('utf8', start, end)) as UmsValue;
}

function plainOf(field: UmsField, value: Exclude<UmsValue, null>): PlainValue {
  if (typeof value === 'object') return Buffer.from(value.base64 ?? '', 'base64');
  return field.type === 'binary' ? Buffer.from(String(value), 'base64') : value;
}

/** A masked value as the JSON of its column. Throws {@link MaskFault} for what is no value of it. */
function jsonOf({ type, nullable }: UmsField, value: unknown): string {
  if (value === null && nullable) return 'null';
  if (!fits(type, value)) throw new MaskFault(`gave what is no value of type ${type}`);
  if (typeof value !== 'number' || type === 'int') return JSON.stringify(value);
  const text = Buffer.alloc(32);
  const end = type === 'float' ? writeFloat(Math.fround(value), text, 0) : writeDouble(value, text, 0);
  if (end < 0) throw new MaskFault(`gave what is no value of type ${type}`);
  return text.toString('latin1', 0, end);
}

function lacking(table: string, column: string, kind: string, needed: string): UmbusError {
  return new UmbusError(
    'UMBUS_MASK_UNFIT',
    `The mask ${kind} of column ${table}.${column} needs the column ${needed}, which the table does not have.`,
    { details: { table, column, mask: kind } },
  );
}

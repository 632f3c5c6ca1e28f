/**
 * Row functions made for one table map each: they walk over all rows of an event and write them as UMS tuples, bytes to bytes. No
 * JavaScript string and no object is made for a row. The code text is put together from the pieces of column-plan.ts; nothing in it
 * comes from the source server but numbers that were checked, so names and labels can hold any text.
 */
import type { Buffer } from 'node:buffer';
import { UmbusError } from '../../core/errors.ts';
import { writeBase64 } from '../../ums/base64.ts';
import { writeInteger, writePadded, writeSigned64, writeUnsigned64 } from '../../ums/digits.ts';
import { RESERVED_NAMES } from '../../ums/message.ts';
import type { TupleBuffer } from '../../ums/tuple-buffer.ts';
import { TUPLE_PREFIX_BYTES, type TuplePrefix } from '../../ums/tuple-prefix.ts';
import type { UmsField } from '../../ums/types.ts';
import type { Zone } from '../../ums/zone.ts';
import { ColumnType } from '../column-type.ts';
import { EventType } from '../event-type.ts';
import type { ColumnMap, TableMap } from '../table-map-types.ts';
import type { ColumnCode } from './column-code.ts';
import { columnCode } from './column-plan.ts';
import { writeDouble, writeFloat } from './float-text.ts';
import { writeJson } from './json-binary.ts';
import { writeJsonChange } from './json-change.ts';
import { writeMark } from './mark.ts';
import { partialSource } from './partial-code.ts';
import { type MaskCode, maskCode, type RowMask } from './row-mask.ts';
import { isUpdate } from './rows-event.ts';
import { writeLabel, writeSet } from './string-code.ts';
import {
  writeDateColumn,
  writeDateTime2,
  writeDateTimeColumn,
  writeTime2,
  writeTimeColumn,
  writeTimestamp,
  writeTimestamp2,
} from './temporal.ts';

/**
 * Writes row images from `o` on, up to `e`, the end of the event without its checksum, at the end of `out`; `d` is the view of `b`. Stops after the
 * row with which the event ends, `out.length` reaches `end`, or `most` tuples were written in this call. Returns where it stopped. `prefix` is set to
 * the first row and is moved on. When it throws, `out` is as it was before.
 * Errors: UMBUS_BINLOG_ROW (the image does not fit the event), UMBUS_BINLOG_VALUE.
 */
export type WriteRows = (
  b: Buffer,
  d: DataView,
  o: number,
  e: number,
  out: TupleBuffer,
  prefix: TuplePrefix,
  most: number,
  end: number,
) => number;

/** The decoder of one table map. */
export interface RowWriter {
  /** The columns as a message describes them, without the system columns. */
  readonly fields: readonly UmsField[];
  /** Names of the primary key's columns in key order; [] without one. */
  readonly primaryKey: readonly string[];
  readonly columnCount: number;
  /** Rows of inserts and deletes. */
  readonly rows: WriteRows;
  /** Rows of updates, each as its before image `b` and its after image `u`. */
  readonly pairs: WriteRows;
  /** Rows of updates as their after image, with the before image only where the primary key has changed. */
  readonly updates: WriteRows;
  /**
   * The writer of one event whose images lack columns or hold differences of JSON documents: to be used for this event only, and before the next call. `rowsAt`: where its rows
   * begin, as `rowsStart` says, in the bytes that it will read. Slower; made on first use. Its `rows`, called on the images of updates, takes them in turns and one in a call.
   * Errors: UMBUS_SOURCE_SETTING for a table without a primary key, when columns are lacking.
   */
  partial(rowsAt: number, type: number): RowWriter;
  /** How many rows lie in `[rowsAt, e)` of `b`, whose view is `d`; an update is one. Errors: UMBUS_BINLOG_ROW. */
  count(b: Buffer, d: DataView, rowsAt: number, e: number, type: number): number;
}

export interface CompileOptions {
  /** Zone of TIMESTAMP values. */
  readonly zone: Zone;
  /** Whether values may be marks. If not, bytes that are no text are refused (UMBUS_BINLOG_VALUE), and images that lack columns (UMBUS_SOURCE_SETTING). Default true. */
  readonly marks?: boolean;
  /** What masks the rows of a table with these columns and this primary key; null, as by default, for nothing. */
  readonly mask?: (fields: readonly UmsField[], primaryKey: readonly string[]) => RowMask | null;
}

/** Bytes of `]},` and the null bitmap's worth of `,null`, beside what each column says. */
const ROW_END_BYTES = 8;
const NULL_BYTES = 4;

const runtime = {
  writeBase64,
  writeDateColumn,
  writeDateTime2,
  writeDateTimeColumn,
  writeDouble,
  writeFloat,
  writeInteger,
  writeJson,
  writeJsonChange,
  writeLabel,
  writeMark,
  writePadded,
  writeSet,
  writeSigned64,
  writeTime2,
  writeTimeColumn,
  writeTimestamp,
  writeTimestamp2,
  writeUnsigned64,
  differ,
};

/**
 * Makes the decoder of a table map. Costs about a millisecond: keep it by the map's fingerprint. Errors: UMBUS_BINLOG_NO_METADATA, UMBUS_BINLOG_TYPE,
 * UMBUS_BINLOG_CHARSET, UMBUS_BINLOG_TABLE_MAP, UMBUS_BINLOG_VALUE (a label that is no text).
 */
export function compileRows(map: TableMap, options: CompileOptions): RowWriter {
  const table = `${map.schema}.${map.table}`;
  if (map.columns.length === 0) {
    throw new UmbusError('UMBUS_BINLOG_TABLE_MAP', `The table map of ${table} has no columns.`, {
      details: { table },
    });
  }
  const names = map.columns.map((column, i) => nameOf(table, column, i));
  const constants: unknown[] = [];
  const codes = map.columns.map((column, index) =>
    columnCode({
      index,
      column,
      name: `${table}.${names[index]}`,
      zone: options.zone,
      marks: options.marks ?? true,
      constant: value => `c${constants.push(value) - 1}`,
    }),
  );
  const key = map.primaryKey ?? [];
  const primaryKey = key.map(i => names[i] ?? '');
  const fields = codes.map(({ type }, i) => ({
    name: names[i] ?? '',
    type,
    nullable: map.columns[i]?.nullable ?? true,
    encoded: false,
  }));
  const mask = options.mask?.(fields, primaryKey) ?? null;
  const masking = maskCode(mask, value => `c${constants.push(value) - 1}`);
  const source = sourceOf(codes, key, constants.length, masking);
  const faults = faultsOf(table, names);
  const make = new Function('runtime', 'constants', 'faults', source) as MakeWriters; // the text below returns them
  let partly: PartialFunctions | null = null;
  const partlyAt = (rowsAt: number, type: number): PartialFunctions => {
    partly ??= partialFunctions(map, codes, constants, faults, options.marks ?? true, masking);
    const update = isUpdate(type);
    const bitmap = (codes.length + 7) >> 3;
    const differences = type === EventType.PARTIAL_UPDATE_ROWS;
    partly.begin(rowsAt - (update ? 2 : 1) * bitmap, rowsAt - bitmap, update, differences);
    return partly;
  };
  const whole = make(runtime, constants, faults);
  const always = mask?.rekeys === true;
  const writer: RowWriter = {
    fields: mask?.fields ?? fields,
    primaryKey,
    columnCount: map.columns.length,
    ...whole,
    updates: always ? whole.pairs : whole.updates,
    partial(rowsAt, type) {
      const lacks = type !== EventType.PARTIAL_UPDATE_ROWS;
      if (lacks && (key.length === 0 || options.marks === false)) throw partialFault(table, key.length > 0);
      const { rows, pairs, updates } = partlyAt(rowsAt, type);
      return { ...writer, rows, pairs, updates: always ? pairs : updates };
    },
    count: (b, d, rowsAt, e, type) => partlyAt(rowsAt, type).count(b, d, rowsAt, e, isUpdate(type)),
  };
  return writer;
}

/** Whoever keeps a table without a key finds its rows by all their values; and not every form of the results can say that a value is absent. */
function partialFault(table: string, keyed: boolean): UmbusError {
  const why = keyed ? 'the results have no form for that' : `${table} has no primary key`;
  return new UmbusError(
    'UMBUS_SOURCE_SETTING',
    `The row images of ${table} lack columns, and ${why}: run SET GLOBAL binlog_row_image = FULL on the source and let its sessions connect anew, then load the table again.`,
    { details: { table } },
  );
}

interface PartialFunctions extends Pick<RowWriter, 'rows' | 'pairs' | 'updates'> {
  begin(presentAt: number, presentAfterAt: number, update: boolean, differences: boolean): void;
  count(b: Buffer, d: DataView, o: number, e: number, update: boolean): number;
}

function partialFunctions(
  map: TableMap,
  codes: readonly ColumnCode[],
  constants: readonly unknown[],
  faults: Faults,
  marks: boolean,
  masking: MaskCode,
): PartialFunctions {
  let json = 0;
  const columns = codes.map((code, i) => ({
    code,
    json: map.columns[i]?.type === ColumnType.JSON ? json++ : -1,
  }));
  const source =
    preamble(codes, constants.length) +
    partialSource(columns, map.primaryKey ?? [], PARAMETERS, marks, masking);
  const make = new Function('runtime', 'constants', 'faults', source) as MakePartial; // partialSource returns them
  return make(runtime, constants, faults);
}

type MakePartial = (
  runtimeFunctions: typeof runtime,
  constants: readonly unknown[],
  faults: Faults,
) => PartialFunctions;

type MakeWriters = (
  runtimeFunctions: typeof runtime,
  constants: readonly unknown[],
  faults: Faults,
) => Pick<RowWriter, 'rows' | 'pairs' | 'updates'>;

interface Faults {
  lacking(column: number): never;
  short(column: number): never;
  invalid(column: number): never;
}

function nameOf(table: string, column: ColumnMap, index: number): string {
  if (column.name === null) {
    throw new UmbusError(
      'UMBUS_BINLOG_NO_METADATA',
      `The table map of ${table} has no column names: run SET GLOBAL binlog_row_metadata = FULL on the source, then reconnect its sessions.`,
      { details: { table, column: index + 1 } },
    );
  }
  if (RESERVED_NAMES.has(column.name)) {
    throw new UmbusError(
      'UMBUS_BINLOG_TYPE',
      `Column ${table}.${column.name} has a name that UMS keeps for itself.`,
      { details: { table, column: column.name } },
    );
  }
  return column.name;
}

function faultsOf(table: string, names: readonly string[]): Faults {
  return {
    short(column) {
      const name = names[column];
      const where = name === undefined ? 'its null bitmap' : `column ${name}`;
      throw new UmbusError('UMBUS_BINLOG_ROW', `A row image of ${table} ends inside ${where}.`, {
        details: { table, column: name ?? null },
      });
    },
    lacking(column) {
      throw new UmbusError(
        'UMBUS_SOURCE_SETTING',
        `Column ${table}.${names[column]} is logged as differences to a document that the row image lacks: run SET GLOBAL binlog_row_value_options = '' on the source, or binlog_row_image = FULL, and let its sessions connect anew; then load the table again.`,
        { details: { table, column: names[column] ?? '' } },
      );
    },
    invalid(column) {
      const name = names[column] ?? '';
      throw new UmbusError(
        'UMBUS_BINLOG_VALUE',
        `Column ${table}.${name} holds bytes that are no value of its type.`,
        { details: { table, column: name } },
      );
    },
  };
}

/** Whether two stretches of bytes differ; for key columns of the two images of an update. */
function differ(b: Buffer, x: number, xEnd: number, y: number, yEnd: number): boolean {
  if (xEnd - x !== yEnd - y) return true;
  for (; x < xEnd; x++, y++) if (b[x] !== b[y]) return true;
  return false;
}

const PARAMETERS = 'b,d,o,e,out,prefix,most,end';

/** What the texts begin with: the names that the code of columns uses. */
function preamble(codes: readonly ColumnCode[], constants: number): string {
  const free = codes.reduce((sum, { fixedBytes }) => sum + Math.max(fixedBytes, NULL_BYTES) + 1, 0);
  return `'use strict';
const {${Object.keys(runtime).join(',')}}=runtime,{short,invalid,lacking}=faults;
const F=${free + TUPLE_PREFIX_BYTES + ROW_END_BYTES};
${Array.from({ length: constants }, (_, i) => `const c${i}=constants[${i}];`).join('')}`;
}

/** The text of the functions. */
function sourceOf(
  codes: readonly ColumnCode[],
  key: readonly number[],
  constants: number,
  masking: MaskCode,
): string {
  const bitmap = (codes.length + 7) >> 3;
  const parameters = PARAMETERS;
  const begin = 'let w=out.bytes,v=out.view,cap=w.length,p=out.length,k=0;';
  const rowWith = (keyColumns: readonly number[]): string =>
    [
      'if(p+F>cap){out.grow(p,F);w=out.bytes;v=out.view;cap=w.length;}',
      'p=prefix.put(v,p);',
      readBitmap(bitmap),
      codes.map((code, i) => columnText(code, i, keyColumns.indexOf(i), 'write', masking)).join(''),
      masking.apply,
      'w[p]=93;w[p+1]=125;w[p+2]=44;p+=3;',
    ].join('');
  const row = rowWith([]);
  const skipBefore = [
    readBitmap(bitmap),
    codes.map((code, i) => columnText(code, i, key.indexOf(i), 'skip', masking)).join(''),
    'if(o>e)short(-1);',
  ].join('');
  const keyVariables = key.map((_, k) => `x${k}=0,z${k}=0,y${k}=0,u${k}=0`).join(',');
  const keyChanged = key.map((_, k) => `differ(b,x${k},z${k},y${k},u${k})`).join('||');
  const declareKey = key.length > 0 ? `let ${keyVariables};` : '';
  return `${preamble(codes, constants)}
function rows(${parameters}){${begin}let p0=p;
while(o<e){p0=p;${row}prefix.next();k++;if(k>=most||p>=end)break;}
out.length=p;out.lastStart=p0;out.lastTuples=1;out.tuples+=k;out.rows+=k;return o;}
function pairs(${parameters}){${begin}let p0=p;
while(o<e){p0=p;prefix.before();${row}if(o>=e)short(-1);prefix.after();${row}prefix.next();k+=2;if(k>=most||p>=end)break;}
out.length=p;out.lastStart=p0;out.lastTuples=2;out.tuples+=k;out.rows+=k>>1;return o;}
function updates(${parameters}){${begin}${declareKey}let p0=p,n=1,done=0;
while(o<e){const from=o;p0=p;n=1;${skipBefore}if(o>=e)short(-1);${rowWith(key)}
if(${keyChanged || 'false'}){
const length=out.length,tuples=out.tuples,count=out.rows;out.length=p0;
try{pairs(b,d,from,o,out,prefix,2,Infinity);p=out.length;n=2;}
finally{out.length=length;out.tuples=tuples;out.rows=count;}
w=out.bytes;v=out.view;cap=w.length;
}else prefix.next();
k+=n;done++;if(k>=most||p>=end)break;}
out.length=p;out.lastStart=p0;out.lastTuples=n;out.tuples+=k;out.rows+=done;return o;}
return {rows,pairs,updates};`;
}

/** Code that steps over the null bitmap and keeps its bytes in n0, n1 and so on. */
function readBitmap(bytes: number): string {
  const names = Array.from({ length: bytes }, (_, i) => `n${i}=b[o+${i}]`);
  return `if(o+${bytes}>e)short(-1);var ${names.join(',')};o+=${bytes};`;
}

/** Code for one column of an image; where it is a key column, also for keeping where it stands. */
function columnText(
  code: ColumnCode,
  index: number,
  keyIndex: number,
  form: 'write' | 'skip',
  masking: MaskCode,
): string {
  const isNull = `n${index >> 3}&${1 << (index & 7)}`;
  const [from, to] = form === 'skip' ? ['x', 'z'] : ['y', 'u'];
  const [before, after] = keyIndex < 0 ? ['', ''] : [`${from}${keyIndex}=o;`, `${to}${keyIndex}=o;`];
  if (form === 'skip') return `${before}if((${isNull})===0){${code.skip}}${after}`;
  const value = `if(${isNull}){v.setUint32(p,0x6c6c756e,true);p+=4;}else{${code.write}}`;
  return `${before}w[p++]=44;${masking.around(index, value)}${after}`;
}

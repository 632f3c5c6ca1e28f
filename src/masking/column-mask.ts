import { Buffer } from 'node:buffer';
import { UmbusError } from '../core/errors.ts';
import type { UmsType, UmsValue } from '../ums/types.ts';
import { bucketOf } from './bucket-mask.ts';
import { digitsMask } from './digits-mask.ts';
import { hashMask, hmacMask } from './hash-masks.ts';
import {
  type ColumnMask,
  type MaskedColumn,
  MaskFault,
  type MaskFunctions,
  type MaskRule,
  type MaskSpec,
  type RowValues,
} from './mask-spec.ts';
import { regexMask, regexParts } from './regex-mask.ts';
import { defaultValue, valueOfText } from './typed-value.ts';

type Kind = MaskSpec['kind'];

/** Types that a mask works on; those that are not here work on all. */
const TYPES: Readonly<Partial<Record<Kind, readonly UmsType[]>>> = {
  regex: ['string', 'raw', 'int', 'long', 'float', 'double', 'decimal', 'date', 'datetime'],
  digits: ['string', 'int', 'long'],
  'keep-edges': ['string', 'raw'],
  truncate: ['string', 'raw'],
};
/** Where a text has none, each of its units is a character. */
const SURROGATES = /[\ud800-\udfff]/;
const BUCKET_DATES: readonly UmsType[] = ['date', 'datetime'];
const BUCKET_NUMBERS: readonly UmsType[] = ['int', 'long', 'float', 'double', 'decimal'];

/** Masks that give different values for different ones, so that rows stay apart by their key; and the types on which they do. */
const KEY_TYPES: Readonly<Partial<Record<Kind, readonly UmsType[]>>> = {
  md5: ['string', 'long', 'binary', 'raw', 'jsonobject'],
  murmur3: ['string', 'long', 'binary', 'raw', 'jsonobject'],
  'hmac-sha256': ['string', 'long', 'binary', 'raw', 'jsonobject'],
  digits: ['string', 'int', 'long'],
};

/**
 * The mask of a column by its rule. Errors: UMBUS_MASK_UNFIT when a mask of this kind cannot give values of the column's type, or would make different keys one.
 */
export function columnMask(
  table: string,
  column: MaskedColumn,
  { pattern, spec }: MaskRule,
  functions: MaskFunctions,
): ColumnMask {
  const unfit = (why: string): UmbusError =>
    new UmbusError(
      'UMBUS_MASK_UNFIT',
      `The mask ${spec.kind} (${pattern}) does not fit column ${table}.${column.name}: ${why}.`,
      {
        details: { table, column: column.name, mask: spec.kind },
      },
    );
  const types =
    spec.kind === 'bucket' ? ('unit' in spec.size ? BUCKET_DATES : BUCKET_NUMBERS) : TYPES[spec.kind];
  if (types?.includes(column.type) === false) {
    throw unfit(`its UMS type is ${column.type}, and the mask works on ${types.join(', ')}`);
  }
  // What a function or an expression of the user's gives is theirs to know.
  if (column.key && spec.kind !== 'function' && spec.kind !== 'regex') {
    const keys = KEY_TYPES[spec.kind];
    if (keys === undefined)
      throw unfit('it belongs to the primary key, and rows with different keys would become one');
    if (!keys.includes(column.type)) {
      throw unfit(
        `it belongs to the primary key, and the mask tells too few values of type ${column.type} apart`,
      );
    }
  }
  return made(column, spec, functions);
}

function made(column: MaskedColumn, spec: MaskSpec, functions: MaskFunctions): ColumnMask {
  const { type } = column;
  switch (spec.kind) {
    case 'default-value':
      return constant(defaultValue(type));
    case 'null':
      return constant(null);
    case 'replace':
      return constant(valueOfText(type, spec.text) ?? defaultValue(type));
    case 'md5':
    case 'murmur3':
      return hashMask(column, { ...spec, kind: spec.kind });
    case 'hmac-sha256':
      return hmacMask(column, spec);
    case 'digits':
      return digitsMask(column, spec);
    case 'regex': {
      const parts = regexParts(spec.regex, spec.replacement);
      if ('problem' in parts)
        throw new UmbusError('UMBUS_CONFIG_INVALID', `A mask's ${parts.part} ${parts.problem}.`);
      return regexMask(column, parts);
    }
    case 'keep-edges':
      return ofText(type, text => keepEdges(text, spec.first, spec.last, spec.fill));
    case 'truncate':
      return ofText(type, text => Array.from(text).slice(0, spec.length).join(''));
    case 'bucket':
      return {
        needs: [],
        mask: value =>
          bucketOf(type, typeof value === 'number' ? value : String(value), spec.size) ?? undefined,
      };
    case 'function':
      return functionMask(column, spec, functions);
    default:
      return spec satisfies never;
  }
}

function constant(value: UmsValue): ColumnMask {
  return { needs: [], mask: () => value };
}

/** Bytes that are no text have no characters to keep. */
function ofText(type: UmsType, change: (text: string) => string): ColumnMask {
  return { needs: [], mask: value => (typeof value === 'string' ? change(value) : defaultValue(type)) };
}

/** Characters are code points. A text with nothing between the edges is hidden as a whole. */
function keepEdges(text: string, first: number, last: number, fill: string): string {
  if (!SURROGATES.test(text)) {
    const hidden = text.length - first - last;
    if (hidden <= 0) return fill.repeat(text.length);
    return text.slice(0, first) + fill.repeat(hidden) + text.slice(first + hidden);
  }
  const characters = Array.from(text);
  const hidden = characters.length - first - last;
  if (hidden <= 0) return fill.repeat(characters.length);
  return (
    characters.slice(0, first).join('') + fill.repeat(hidden) + characters.slice(first + hidden).join('')
  );
}

function functionMask(
  { type }: MaskedColumn,
  { id, columns }: MaskSpec & { readonly kind: 'function' },
  functions: MaskFunctions,
): ColumnMask {
  return {
    needs: columns,
    mask(value, row) {
      if (value instanceof Uint8Array && type !== 'binary') return defaultValue(type);
      const plain = value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
      const result = functions.call(id, plain, rowOf(columns, row));
      if ('failed' in result) throw new MaskFault(result.failed);
      return result.value;
    },
  };
}

function rowOf(columns: readonly string[] | 'all', row: RowValues): Readonly<Record<string, UmsValue>> {
  const given: Record<string, UmsValue> = Object.create(null);
  for (const name of columns === 'all' ? row.names : columns) {
    const value = row.of(name);
    if (value !== undefined) given[name] = value;
  }
  return given;
}

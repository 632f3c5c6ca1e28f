import type { UmsType } from '../../ums/types.ts';

/**
 * The code of one column in a compiled row function (compile.ts), as JavaScript text. It may use these variables:
 *
 *     b, d    bytes of the run and their view        o    place in them        e    end of the event (do not read there)
 *     w, v    bytes of the output and their view     p    place in them        cap  length of w
 *     out     the TupleBuffer                        F    bytes that always stay free beyond p, see below
 *
 * and the functions `short(column)` and `invalid(column)`, which throw, those of {@link runtime}, and constants.
 * Each piece moves `o` behind the column and, when it writes, `p` behind the value. Locals are block-scoped.
 *
 * Room: `fixedBytes` of all columns are part of F, and F bytes are free when a row begins. A column whose size is only known
 * from the row makes room for its own bytes and again for F, so that every column after it finds its fixed bytes free.
 */
export interface ColumnCode {
  readonly type: UmsType;
  /** Most bytes that `write` writes without making room. */
  readonly fixedBytes: number;
  readonly write: string;
  readonly skip: string;
}

/** What a piece of code needs to know. */
export interface ColumnPlace {
  /** Index of the column. */
  readonly index: number;
  /** Gives a value a name that the code can use. */
  readonly constant: (value: unknown) => string;
}

/** Code that checks that `bytes` bytes are left to read. */
export function need(place: ColumnPlace, bytes: number | string): string {
  return `if(o+${bytes}>e)short(${place.index});`;
}

/** Code for a column of `bytes` bytes whose value is written by `write`. */
export function fixedSize(
  place: ColumnPlace,
  type: UmsType,
  bytes: number,
  fixedBytes: number,
  write: string,
): ColumnCode {
  return { type, fixedBytes, write: `${need(place, bytes)}${write}o+=${bytes};`, skip: `o+=${bytes};` };
}

/** Code that writes what `write` writes between quotes. `write` sets `p`. */
export function quoted(write: string): string {
  return `w[p++]=34;${write}w[p++]=34;`;
}

/** Code that throws when the function before it gave -1. */
export function orInvalid(place: ColumnPlace): string {
  return `if(p<0)invalid(${place.index});`;
}

/** An expression for `bytes` bytes from `o` as an unsigned big-endian number of up to 32 bits. */
export function bigEndian(bytes: number, at = 0): string {
  switch (bytes) {
    case 1:
      return `b[o+${at}]`;
    case 2:
      return `d.getUint16(o+${at})`;
    case 3:
      return `(b[o+${at}]<<16|d.getUint16(o+${at + 1}))`;
    default:
      return `d.getUint32(o+${at})`;
  }
}

/** An expression for `bytes` bytes from `o` as an unsigned little-endian number of up to 32 bits. */
export function littleEndian(bytes: number): string {
  switch (bytes) {
    case 1:
      return 'b[o]';
    case 2:
      return 'd.getUint16(o,true)';
    case 3:
      return '(d.getUint16(o,true)|b[o+2]<<16)';
    default:
      return 'd.getUint32(o,true)';
  }
}

/**
 * Functions made for the columns of one SELECT each: they write the rows of its binary result as row images, as a binlog has them. What then decodes them is what decodes the
 * stream, so a pulled value and a streamed one cannot differ. The code text holds numbers that were checked, and nothing else that comes from the source.
 */
import { Buffer } from 'node:buffer';
import { UmbusError } from '../../core/errors.ts';
import { viewOf } from '../../ums/tuple-buffer.ts';
import { type DecimalShape, decimalShape } from '../rows/decimal.ts';
import { packDate, packDateTime, packDecimal, packTime, packTimestamp } from './image-values.ts';
import type { Conversion, ResultColumn } from './result-column.ts';

/** Row images that follow each other, as the rows of an event do. */
export class ImageBuffer {
  /** All memory; images are in `[0, length)`. Replaced when it grows. */
  bytes: Buffer;
  view: DataView;
  length = 0;
  rows = 0;
  /** Where the last image begins. */
  lastStart = 0;

  readonly #take: (bytes: number) => Buffer;

  /** `take` gives memory. */
  constructor(bytes = 64 * 1024, take: (bytes: number) => Buffer = Buffer.allocUnsafeSlow) {
    this.#take = take;
    this.bytes = take(bytes);
    this.view = viewOf(this.bytes);
  }

  /** Makes room for `size` bytes beyond `length`. */
  room(size: number): void {
    const needed = this.length + size;
    if (needed <= this.bytes.length) return;
    const grown = this.#take(Math.max(needed, Math.min(2 * this.bytes.length, needed + MOST_SPARE)));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
    this.view = viewOf(grown);
  }

  /** Begins anew in other memory, of so many bytes: what there was is somebody else's from now on. */
  renew(bytes: number): void {
    this.bytes = this.#take(bytes);
    this.view = viewOf(this.bytes);
    this.length = 0;
    this.rows = 0;
  }

  /** Adds bytes that are no image. */
  put(bytes: Uint8Array): void {
    this.room(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }
}

/**
 * Adds the row of a binary result in `[o, e)` of `b`, its packet without the header, to `out`; `d` is the view of `b`. Errors: UMBUS_SOURCE_PROTOCOL for a row that does not fit the columns; `out` is then as before.
 */
export type WriteImage = (b: Buffer, d: DataView, o: number, e: number, out: ImageBuffer) => void;

const MOST_SPARE = 16 * 1024 * 1024;
/** No value takes more bytes than it was sent with, but these. */
const SPARE_BYTES = 40;
/** Bits before that of the first column in the null bitmap of a binary row. */
const NULL_BITS = 2;

const runtime = { packDate, packDateTime, packDecimal, packTime, packTimestamp, copyBytes };

/** Makes the function for the columns of a SELECT, in order. */
export function compileImages(columns: readonly ResultColumn[]): WriteImage {
  const bitmap = (columns.length + 7) >> 3;
  const sentBitmap = (columns.length + 7 + NULL_BITS) >> 3;
  const shapes = columns.map(({ conversion }) =>
    conversion.kind === 'decimal' ? decimalShape(conversion.precision, conversion.scale) : null,
  );
  const code = columns.map(({ conversion }, i) => {
    const at = i + NULL_BITS;
    return `if(b[n+${at >> 3}]&${1 << (at & 7)})w[z+${i >> 3}]|=${1 << (i & 7)};else{${valueCode(conversion, i)}}`;
  });
  const constants = shapes.map((shape, i) => (shape === null ? '' : `const c${i}=shapes[${i}];`)).join('');
  const source = `'use strict';const {${Object.keys(runtime).join(',')}}=runtime;${constants}
return function(b,d,o,e,out){out.room(e-o+${columns.length * SPARE_BYTES + bitmap});
const w=out.bytes,v=out.view,z=out.length,n=o+1;let p=z+${bitmap},l=0;for(let i=z;i<p;i++)w[i]=0;
o=n+${sentBitmap};if(o>e)fault();
${code.join('\n')}
if(o!==e)fault();out.length=p;out.rows++;out.lastStart=z;}`;
  const make = new Function('runtime', 'shapes', 'fault', source) as MakeImages; // the text above returns one
  return make(runtime, shapes, fault);
}

type MakeImages = (
  functions: typeof runtime,
  shapes: readonly (DecimalShape | null)[],
  failed: typeof fault,
) => WriteImage;

function fault(): never {
  throw new UmbusError('UMBUS_SOURCE_PROTOCOL', 'A row of a result does not fit its columns.');
}

/** Reads a length-encoded integer into `l`, and checks that as many bytes are left. */
const LENGTH =
  'l=b[o++];if(l>250){if(l===252){l=b[o]|b[o+1]<<8;o+=2;}else if(l===253){l=b[o]|b[o+1]<<8|b[o+2]<<16;o+=3;}' +
  'else if(l===254&&o+8<=e&&d.getUint32(o+4,true)===0){l=d.getUint32(o,true);o+=8;}else fault();}if(!(o+l<=e))fault();';
/** Reads the length of a date or time into `l`, one of those that it can have, and checks that as many bytes are left. */
const shortLength = (...lengths: readonly number[]): string =>
  `l=b[o];if(!(o+1+l<=e)||!(${lengths.map(length => `l===${length}`).join('||')}))fault();`;
const DATE_LENGTH = shortLength(0, 4, 7, 11);
const TIME_LENGTH = shortLength(0, 8, 12);
const CHECK = 'if(p<0)fault();';

/** Code for the value of a column. */
function valueCode(conversion: Conversion, column: number): string {
  switch (conversion.kind) {
    case 'number': {
      const copies = Array.from({ length: conversion.bytes }, (_, i) => `w[p+${i}]=b[o+${i}];`).join('');
      return `if(o+${conversion.sent}>e)fault();${copies}p+=${conversion.bytes};o+=${conversion.sent};`;
    }
    case 'year':
      return 'if(o+2>e)fault();l=b[o]|b[o+1]<<8;if(l!==0&&!(l>1900&&l<=2155))fault();w[p++]=l===0?0:l-1900;o+=2;';
    case 'bits':
      return `${LENGTH}if(l>${conversion.bytes})fault();w.fill(0,p,p+${conversion.bytes});copyBytes(b,d,o,o+l,w,v,p+${conversion.bytes}-l);p+=${conversion.bytes};o+=l;`;
    case 'decimal':
      return `${LENGTH}p=packDecimal(b,o,o+l,c${column},w,p);${CHECK}o+=l;`;
    case 'date':
      return `${DATE_LENGTH}p=packDate(b,o,w,p);${CHECK}o+=l+1;`;
    case 'datetime':
      return `${DATE_LENGTH}p=packDateTime(b,o,${conversion.digits},w,p);${CHECK}o+=l+1;`;
    case 'timestamp':
      return `${DATE_LENGTH}p=packTimestamp(b,o,${conversion.digits},w,p);${CHECK}o+=l+1;`;
    case 'time':
      return `${TIME_LENGTH}p=packTime(b,o,${conversion.digits},w,p);${CHECK}o+=l+1;`;
    case 'bytes':
      return conversion.lengthBytes === 2
        ? `${LENGTH}if(l>65535)fault();w[p]=l;w[p+1]=l>>8;p=copyBytes(b,d,o,o+l,w,v,p+2);o+=l;`
        : `${LENGTH}v.setUint32(p,l,true);p=copyBytes(b,d,o,o+l,w,v,p+4);o+=l;`;
  }
}

/** Below this, a loop is faster than a call. */
const LOOP_BYTES = 256;

function copyBytes(b: Buffer, d: DataView, o: number, e: number, w: Buffer, v: DataView, p: number): number {
  if (e - o > LOOP_BYTES) return p + b.copy(w, p, o, e);
  for (const last = e - 8; o <= last; o += 8, p += 8) {
    v.setInt32(p, d.getInt32(o, true), true);
    v.setInt32(p + 4, d.getInt32(o + 4, true), true);
  }
  while (o < e) w[p++] = b[o++] as number; // o < e <= b.length
  return p;
}

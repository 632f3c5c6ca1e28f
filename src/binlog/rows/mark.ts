/**
 * Values that UMS shows as an object because they are not what their field's type holds (ums-schema/README.md, "Marks"): bytes that are no text of
 * their character set.
 */
import { Buffer } from 'node:buffer';
import { writeBase64 } from '../../ums/base64.ts';
import type { TupleBuffer } from '../../ums/tuple-buffer.ts';

const BEFORE = Buffer.from('{"base64":"', 'latin1');

/** What ends the mark of a character set. */
export function markEnd(charset: string): Buffer {
  return Buffer.from(`","charset":${JSON.stringify(charset)}}`, 'utf8');
}

/**
 * Writes bytes `o` to `e` of the view `d` as a mark at `p` of `out.bytes` and counts it; returns the place after it with `spare` bytes free beyond. May replace
 * the buffer of `out`.
 */
export function writeMark(
  out: TupleBuffer,
  d: DataView,
  o: number,
  e: number,
  p: number,
  spare: number,
  end: Buffer,
): number {
  out.grow(p, BEFORE.length + 4 * Math.ceil((e - o) / 3) + end.length + spare);
  const { bytes, view } = out;
  p += BEFORE.copy(bytes, p);
  p = writeBase64(d, o, e, 0, bytes, view, p);
  out.marks++;
  return p + end.copy(bytes, p);
}

/** The same for a label that is written more than once. */
export function markOf(bytes: Uint8Array, charset: string): Buffer {
  return Buffer.concat([
    BEFORE,
    Buffer.from(Buffer.from(bytes).toString('base64'), 'latin1'),
    markEnd(charset),
  ]);
}

import { UmbusError } from '../core/errors.ts';
import { Cursor } from './cursor.ts';

/** Where the next event is. */
export interface Rotation {
  readonly file: string;
  readonly position: number;
}

/**
 * Parses the body of a ROTATE event: `[start, end)` of `bytes`, without header and checksum.
 * Format: MySQL source documentation, class `Rotate_event`. Errors: UMBUS_BINLOG_TRUNCATED.
 */
export function parseRotate(bytes: Uint8Array, start: number, end: number): Rotation {
  const cursor = new Cursor(bytes, 'The ROTATE event', 'UMBUS_BINLOG_TRUNCATED', start, end);
  const position = cursor.uint64('the position');
  if (position > BigInt(Number.MAX_SAFE_INTEGER)) throw cursor.fault('has a position beyond 2^53');
  const file = cursor.text(cursor.left, 'the file name').replace(/\0.*$/s, '');
  return { file, position: Number(position) };
}

/**
 * The number of a binlog file: the digits after the last dot, which are six or more. It orders the files of one server. A server's artificial ROTATE may come without a checksum,
 * so a name of another form is also how damage to one shows. Source: `log_bin_basename` of the MySQL manual, "The Binary Log".
 * Errors: UMBUS_SOURCE_PROTOCOL when the name has no such number, or one above 2^32 - 1.
 */
export function fileNumberOf(file: string): number {
  const digits = /\.(\d{6,10})$/.exec(file)?.[1];
  const number = Number(digits ?? Number.NaN);
  if (!(number <= 0xffffffff)) {
    throw new UmbusError(
      'UMBUS_SOURCE_PROTOCOL',
      `The binlog file name '${file}' does not end with a number of six digits or more.`,
      {
        details: { file },
      },
    );
  }
  return number;
}

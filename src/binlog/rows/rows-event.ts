import type { Buffer } from 'node:buffer';
import { UmbusError } from '../../core/errors.ts';
import { EVENT_HEADER_BYTES, EventType } from '../event-type.ts';

/** Table id and flags. */
const POST_HEADER_BYTES = 8;
/** The first byte of a length-encoded number of two bytes. */
const TWO_BYTES = 252;

/** Whether an event type is a row event whose rows umbus decodes: version 1 or 2, or updates with differences of JSON documents. */
export function isRowsEvent(type: number): boolean {
  return (
    (type >= EventType.WRITE_ROWS && type <= EventType.DELETE_ROWS) ||
    (type >= EventType.WRITE_ROWS_V1 && type <= EventType.DELETE_ROWS_V1) ||
    type === EventType.PARTIAL_UPDATE_ROWS
  );
}

/** Whether a row event is one of updates. */
export function isUpdate(type: number): boolean {
  return (
    type === EventType.UPDATE_ROWS ||
    type === EventType.UPDATE_ROWS_V1 ||
    type === EventType.PARTIAL_UPDATE_ROWS
  );
}

/** Whether a row event is one of inserts. */
export function isInsert(type: number): boolean {
  return type === EventType.WRITE_ROWS || type === EventType.WRITE_ROWS_V1;
}

/**
 * Where the rows of a row event begin; `[start, end)` of `b` is the event with header, without checksum, and `d` the view of `b`. Makes no object, since it
 * is called for every row event. When images lack columns of the table map or hold differences of JSON documents, the complement `~o` of the place: the rows are for
 * `RowWriter.partial`.
 * Format: MySQL source documentation, class `Rows_event`. Errors: UMBUS_BINLOG_TABLE_MAP (another number of columns), UMBUS_BINLOG_ROW (the event
 * ends too early).
 */
export function rowsStart(
  b: Buffer,
  d: DataView,
  start: number,
  end: number,
  type: number,
  columnCount: number,
): number {
  let o = start + EVENT_HEADER_BYTES + POST_HEADER_BYTES;
  if (o + 3 > end) throw tooShort();
  if (type >= EventType.WRITE_ROWS) {
    const extraBytes = d.getUint16(o, true);
    if (extraBytes < 2 || o + extraBytes + 3 > end) throw tooShort();
    o += extraBytes;
  }
  let columns = d.getUint8(o);
  if (columns === TWO_BYTES) columns = d.getUint16(o + 1, true);
  o += columns < 251 ? 1 : 3;
  if (columns !== columnCount) {
    throw new UmbusError(
      'UMBUS_BINLOG_TABLE_MAP',
      `The row event has ${columns} columns, its table map ${columnCount}.`,
    );
  }
  const bitmap = (columns + 7) >> 3;
  const update = isUpdate(type);
  const rowsAt = o + (update ? 2 : 1) * bitmap;
  if (rowsAt > end) throw tooShort();
  const whole = allPresent(b, o, columns) && (!update || allPresent(b, o + bitmap, columns));
  return whole && type !== EventType.PARTIAL_UPDATE_ROWS ? rowsAt : ~rowsAt;
}

/** Whether all bits of a bitmap of present columns are set. */
function allPresent(b: Buffer, o: number, columns: number): boolean {
  const bytes = (columns + 7) >> 3;
  const last = columns & 7;
  const lastMask = last === 0 ? 255 : (1 << last) - 1;
  for (let i = 0; i < bytes; i++) {
    const mask = i === bytes - 1 ? lastMask : 255;
    if (((b[o + i] as number) & mask) !== mask) return false; // the caller has checked that the bitmap is there
  }
  return true;
}

function tooShort(): UmbusError {
  return new UmbusError('UMBUS_BINLOG_ROW', 'The row event ends before its first row.');
}

import { UmbusError } from '../core/errors.ts';
import { Cursor } from './cursor.ts';
import { EVENT_HEADER_BYTES, EVENT_TYPE_AT, EventType } from './event-type.ts';

/** What stands before the rows of a row event. */
export interface RowsHeader {
  readonly operation: 'insert' | 'update' | 'delete';
  readonly tableId: number;
  /** Bit 0: last row event of its statement. */
  readonly flags: number;
  readonly columnCount: number;
  /** Offset of the bitmap of columns present in the (before) image: bit i of byte i / 8 is column i. */
  readonly presentAt: number;
  /** Offset of the same for the after image of an update; equal to `presentAt` otherwise. */
  readonly presentAfterAt: number;
  /** Offset of the first row image. */
  readonly rowsAt: number;
}

/**
 * Parses the post-header and bitmaps of a row event of version 1 or 2; `[start, end)` of `bytes` is the event with header, without checksum. Version 2's
 * extra data (NDB and partition ids) is skipped.
 * Format: MySQL source documentation, class `Rows_event`. Errors: UMBUS_BINLOG_TRUNCATED; UMBUS_BINLOG_EVENT when it is no row event of these versions.
 */
export function parseRowsHeader(bytes: Uint8Array, start: number, end: number): RowsHeader {
  const type = bytes[start + EVENT_TYPE_AT] ?? -1;
  const operation = operationOf(type);
  if (operation === null) {
    throw new UmbusError('UMBUS_BINLOG_EVENT', `Event type ${type} is no row event of version 1 or 2.`, {
      details: { type },
    });
  }
  const cursor = new Cursor(
    bytes,
    'The row event',
    'UMBUS_BINLOG_TRUNCATED',
    start + EVENT_HEADER_BYTES,
    end,
  );
  const tableId = cursor.uint(6, 'the table id');
  const flags = cursor.uint(2, 'the flags');
  if (type >= EventType.WRITE_ROWS) {
    const extraBytes = cursor.uint(2, 'the extra data');
    if (extraBytes < 2) throw cursor.fault(`has extra data of ${extraBytes} bytes`);
    cursor.take(extraBytes - 2, 'the extra data');
  }
  const columnCount = cursor.lenenc('the column count');
  const bitmapBytes = Math.ceil(columnCount / 8);
  const presentAt = cursor.take(bitmapBytes, 'the present columns');
  const presentAfterAt = operation === 'update' ? cursor.take(bitmapBytes, 'the present columns') : presentAt;
  return { operation, tableId, flags, columnCount, presentAt, presentAfterAt, rowsAt: cursor.at };
}

function operationOf(type: number): RowsHeader['operation'] | null {
  switch (type) {
    case EventType.WRITE_ROWS_V1:
    case EventType.WRITE_ROWS:
      return 'insert';
    case EventType.UPDATE_ROWS_V1:
    case EventType.UPDATE_ROWS:
      return 'update';
    case EventType.DELETE_ROWS_V1:
    case EventType.DELETE_ROWS:
      return 'delete';
    default:
      return null;
  }
}

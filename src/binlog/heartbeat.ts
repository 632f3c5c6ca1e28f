import { Cursor } from './cursor.ts';
import { EventType } from './event-type.ts';

/** What the server has sent or skipped so far, told when it has nothing else to say. */
export interface Heartbeat {
  readonly file: string;
  /** From the event's body, in 64 bits (version 2); null in version 1, whose position is the header's 32 bits. */
  readonly position: number | null;
}

const FIELD_END = 0;
const FIELD_FILE = 1;
const FIELD_POSITION = 2;

/**
 * Parses the body of a HEARTBEAT event of either version: `[start, end)` of `bytes`, without header and checksum.
 * Format: MySQL source documentation, classes `Heartbeat_event` and `Heartbeat_event_v2`. Errors: UMBUS_BINLOG_TRUNCATED.
 */
export function parseHeartbeat(type: number, bytes: Uint8Array, start: number, end: number): Heartbeat {
  const cursor = new Cursor(bytes, 'The HEARTBEAT event', 'UMBUS_BINLOG_TRUNCATED', start, end);
  if (type !== EventType.HEARTBEAT_V2) {
    return { file: cursor.text(cursor.left, 'the file name'), position: null };
  }
  let file = '';
  let position: number | null = null;
  while (cursor.left > 0) {
    const field = cursor.uint(1, 'a field kind');
    if (field === FIELD_END) break;
    const length = cursor.lenenc('a field length');
    if (field === FIELD_FILE) file = cursor.text(length, 'the file name');
    else if (field === FIELD_POSITION) position = cursor.lenenc('the position');
    else cursor.take(length, 'a field');
  }
  return { file, position };
}

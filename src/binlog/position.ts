import { UmbusError } from '../core/errors.ts';
import { EVENT_HEADER_BYTES, EVENT_LOG_POS_AT, EVENT_SIZE_AT } from './event-type.ts';

const WRAP = 0x1_0000_0000;
/** A step this long over events that the server left out is taken for a step back. */
const MAX_GAP_BYTES = 0x8000_0000;

/**
 * The 64-bit file offset of an event's end, from the low 32 bits that its header has and the end of an earlier event.
 * Errors: UMBUS_SOURCE_PROTOCOL when the event lies before that end.
 */
export function unwrapEnd(logPos: number, size: number, after: number): number {
  let end = after - (after % WRAP) + logPos;
  if (end < after) end += WRAP;
  const start = end - size;
  if (start < after || start - after >= MAX_GAP_BYTES) {
    throw new UmbusError(
      'UMBUS_SOURCE_PROTOCOL',
      `An event of ${size} bytes ends at ${logPos} (modulo 2^32), but the one before it ends at ${after}: the stream went back.`,
      { details: { logPos, size, after } },
    );
  }
  return end;
}

/**
 * The 64-bit file offset of the event at `at` of a run's `events`, at or after `position` and less than 4 GB away.
 * Errors: UMBUS_BINLOG_TRUNCATED when there is no whole header.
 */
export function eventStart(events: Uint8Array, at: number, position: number): number {
  if (at + EVENT_HEADER_BYTES > events.length) {
    throw new UmbusError('UMBUS_BINLOG_TRUNCATED', `The run's events end inside an event header at ${at}.`);
  }
  const view = new DataView(events.buffer, events.byteOffset + at, EVENT_HEADER_BYTES);
  const low = (view.getUint32(EVENT_LOG_POS_AT, true) - view.getUint32(EVENT_SIZE_AT, true)) >>> 0;
  const start = position - (position % WRAP) + low;
  return start < position ? start + WRAP : start;
}

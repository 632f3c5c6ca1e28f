import { EVENT_HEADER_BYTES, EVENT_TYPE_AT, EventType } from './event-type.ts';

/** Offsets and flags of MariaDB's GTID event. Source: `Gtid_log_event` in MariaDB's log_event.h and log_event.cc. */
const FLAGS_AT = EVENT_HEADER_BYTES + 12;
const FLAG_GROUP_COMMIT_ID = 2;
const FLAG_XA = 64 | 128;
const EXTRA_START = 2;
const EXTRA_ROLLBACK = 8;

/**
 * Whether the statement behind a GTID event has taken effect. With `binlog_alter_two_phase` MariaDB (10.8 and later) writes an ALTER twice, when it begins and when it is
 * committed or rolled back: only the commit counts. `[start, end)`: the event with its header, without checksum; any other event gives true.
 */
export function hasTakenEffect(bytes: Uint8Array, start: number, end: number): boolean {
  if (bytes[start + EVENT_TYPE_AT] !== EventType.MARIADB_GTID) return true;
  const flags = bytes[start + FLAGS_AT] ?? 0;
  let at = start + FLAGS_AT + 1;
  if ((flags & FLAG_GROUP_COMMIT_ID) !== 0) at += 8;
  // Format id, the lengths of the two parts of the name, and these.
  if ((flags & FLAG_XA) !== 0) at += 6 + (bytes[at + 4] ?? 0) + (bytes[at + 5] ?? 0);
  if (at >= end) return true;
  return ((bytes[at] ?? 0) & (EXTRA_START | EXTRA_ROLLBACK)) === 0;
}

import { UmbusError } from '../core/errors.ts';
import { Cursor } from './cursor.ts';
import { EVENT_CHECKSUM_BYTES, EVENT_HEADER_BYTES, EventType } from './event-type.ts';

/** What a FORMAT_DESCRIPTION event says of the events that follow it in its file. */
export interface FormatDescription {
  /** For example `10.11.19-MariaDB-log` or `9.7.4`. */
  readonly serverVersion: string;
  readonly flavor: 'mysql' | 'mariadb';
  /** Whether each event ends with a CRC32. */
  readonly checksum: boolean;
}

const BINLOG_VERSION = 4;
const SERVER_VERSION_BYTES = 50;
const CHECKSUM_NONE = 0;
const CHECKSUM_CRC32 = 1;
/** Table id of 6 bytes and flags; table id, flags, and the extra data's length. The forms of MySQL 5.1.16 and 5.6 on, and of all MariaDBs. */
const ROWS_V1_BYTES = 8;
const ROWS_V2_BYTES = 10;

/**
 * Parses a FORMAT_DESCRIPTION event: `[start, end)` of `bytes`, header and trailing checksum included. This event ends with the checksum algorithm
 * and four bytes of checksum always, whatever the algorithm.
 * Format: MySQL source documentation, class `Format_description_event`. Errors: UMBUS_BINLOG_TRUNCATED, UMBUS_BINLOG_EVENT (a form
 * of other events that umbus does not read, or an unknown checksum algorithm).
 */
export function parseFormatDescription(bytes: Uint8Array, start: number, end: number): FormatDescription {
  const cursor = new Cursor(
    bytes,
    'The FORMAT_DESCRIPTION event',
    'UMBUS_BINLOG_TRUNCATED',
    start + EVENT_HEADER_BYTES,
    end - EVENT_CHECKSUM_BYTES,
  );
  const version = cursor.uint(2, 'the binlog version');
  const serverVersion = cursor.text(SERVER_VERSION_BYTES, 'the server version').replace(/\0.*$/s, '');
  cursor.take(4, 'the creation time');
  const headerBytes = cursor.uint(1, 'the header length');
  if (version !== BINLOG_VERSION || headerBytes !== EVENT_HEADER_BYTES) {
    throw unknownForm(serverVersion, `binlog version ${version} with event headers of ${headerBytes} bytes`);
  }
  const lengths = cursor.view(cursor.left - 1, 'the event lengths');
  checkPostHeader(lengths, EventType.TABLE_MAP, ROWS_V1_BYTES, serverVersion);
  checkPostHeader(lengths, EventType.WRITE_ROWS_V1, ROWS_V1_BYTES, serverVersion);
  checkPostHeader(lengths, EventType.WRITE_ROWS, ROWS_V2_BYTES, serverVersion);
  const algorithm = cursor.uint(1, 'the checksum algorithm');
  if (algorithm !== CHECKSUM_NONE && algorithm !== CHECKSUM_CRC32) {
    throw unknownForm(serverVersion, `checksum algorithm ${algorithm}`);
  }
  return {
    serverVersion,
    flavor: /mariadb/i.test(serverVersion) ? 'mariadb' : 'mysql',
    checksum: algorithm === CHECKSUM_CRC32,
  };
}

/** `lengths` has one byte for each event type from 1 on; a type the server does not know has none, or 0. */
function checkPostHeader(lengths: Uint8Array, type: number, expected: number, serverVersion: string): void {
  const got = lengths[type - 1] ?? 0;
  if (got !== 0 && got !== expected) {
    throw unknownForm(serverVersion, `a post-header of ${got} bytes for events of type ${type}`);
  }
}

function unknownForm(serverVersion: string, what: string): UmbusError {
  return new UmbusError(
    'UMBUS_BINLOG_EVENT',
    `The binlog of server version '${serverVersion}' has ${what}, which umbus does not read.`,
  );
}

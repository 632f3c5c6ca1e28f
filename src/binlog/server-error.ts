import { type ErrorCode, UmbusError } from '../core/errors.ts';

/** An ERR packet: the server's own number and text. */
export interface ServerError {
  readonly code: number;
  /** Five characters; '' when the packet has none. */
  readonly sqlState: string;
  readonly text: string;
}

const ER_ACCESS_DENIED = 1045;
const ER_DB_ACCESS_DENIED = 1044;
const ER_SERVER_SHUTDOWN = 1053;
const ER_HOST_NOT_PRIVILEGED = 1130;
const ER_SPECIFIC_ACCESS_DENIED = 1227;
const ER_MASTER_FATAL_ERROR_READING_BINLOG = 1236;
const ER_QUERY_INTERRUPTED = 1317;
const ER_CONNECTION_KILLED = 1927;
/** MariaDB's own number; MySQL says it with 1236. */
const ER_SLAVE_SAME_ID = 4052;

/**
 * The error of umbus for an ERR packet of a dump. `place` is `<file>:<position>` of the last event seen. Numbers: MySQL and MariaDB error references.
 */
export function errorOfServer(error: ServerError, place: string): UmbusError {
  return new UmbusError(
    codeOf(error),
    `The server ended the binlog stream after ${place} with error ${error.code}: ${error.text}${hintFor(error)}`,
    { details: { place, serverCode: error.code, sqlState: error.sqlState } },
  );
}

function codeOf(error: ServerError): ErrorCode {
  switch (error.code) {
    case ER_MASTER_FATAL_ERROR_READING_BINLOG:
      return codeOfBinlogError(error.text);
    case ER_SLAVE_SAME_ID:
      return 'UMBUS_SOURCE_SERVER_ID';
    case ER_ACCESS_DENIED:
    case ER_HOST_NOT_PRIVILEGED:
      return 'UMBUS_SOURCE_AUTH';
    case ER_SPECIFIC_ACCESS_DENIED:
    case ER_DB_ACCESS_DENIED:
      return 'UMBUS_SOURCE_GRANT';
    case ER_SERVER_SHUTDOWN:
    case ER_QUERY_INTERRUPTED:
    case ER_CONNECTION_KILLED:
      return 'UMBUS_SOURCE_DISCONNECTED';
    default:
      return 'UMBUS_SOURCE_PROTOCOL';
  }
}

/**
 * 1236 stands for everything that can go wrong with a dump; only the text tells. What it does not tell, such as a read error while the binlogs are
 * reset, can be asked anew: opening the dump finds out whether the position is still there.
 */
function codeOfBinlogError(text: string): ErrorCode {
  if (/same server_(uuid|id)/i.test(text)) return 'UMBUS_SOURCE_SERVER_ID';
  if (/max_allowed_packet/i.test(text)) return 'UMBUS_SOURCE_SETTING';
  return /could not find|purged|impossible position|start replication from|GTID/i.test(text)
    ? 'UMBUS_SOURCE_POSITION_GONE'
    : 'UMBUS_SOURCE_PROTOCOL';
}

function hintFor(error: ServerError): string {
  if (error.code === ER_SPECIFIC_ACCESS_DENIED || error.code === ER_DB_ACCESS_DENIED) {
    return ' Grant it with: GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO the account.';
  }
  return /max_allowed_packet/i.test(error.text) ? ' Run: SET GLOBAL max_allowed_packet = 1073741824.' : '';
}

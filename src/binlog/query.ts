import { Cursor } from './cursor.ts';
import { EventType } from './event-type.ts';

/** A statement that the server wrote as text. */
export interface QueryEvent {
  /** The session's default schema; '' when it had none. */
  readonly schema: string;
  /** The text, read as UTF-8. Bytes of another client charset may read wrongly within names and literals. */
  readonly sql: string;
  /** Schemas that the server says the statement touches (MySQL); [] when it does not say. */
  readonly schemas: readonly string[];
  /** The error that the statement ended with on the source, which did a part of it; 0 for none. */
  readonly errorCode: number;
  /** `sql_mode` as its low 32 bits; 0 when the event does not say. */
  readonly sqlMode: number;
  /** Collation ids of the text itself and of the session's server default; null when the event does not say. */
  readonly clientCollation: number | null;
  readonly serverCollation: number | null;
}

/** Thread id u32, execution time u32, schema length u8, error code u16, length of the status variables u16. */
export const QUERY_POST_HEADER_BYTES = 13;
/** Offsets within it. */
export const QUERY_SCHEMA_LENGTH_AT = 8;
export const QUERY_STATUS_LENGTH_AT = 11;
/** What EXECUTE_LOAD_QUERY adds to it: file id, start, end, duplicate handling. */
const LOAD_POST_HEADER_BYTES = 13;

const STATUS_SQL_MODE = 1;
const STATUS_CHARSET = 4;
const STATUS_UPDATED_SCHEMAS = 12;
/** `OVER_MAX_DBS_IN_EVENT_MTS`: too many schemas to name them. */
const TOO_MANY_SCHEMAS = 254;
/** Lengths of the status variables that have a fixed one, by code. */
const fixedStatusBytes: ReadonlyMap<number, number> = new Map([
  [0, 4],
  [1, 8],
  [3, 4],
  [4, 6],
  [7, 2],
  [8, 2],
  [9, 8],
  [10, 4],
  [13, 3],
  [16, 1],
  [17, 8],
  [18, 2],
  [19, 1],
  [20, 1],
  [128, 3],
  [129, 8],
]);

/**
 * Parses the body of a QUERY or EXECUTE_LOAD_QUERY event: `[start, end)` of `bytes`, without header and checksum. Status variables of kinds that are
 * not known are skipped, with all that follow them.
 * Format: MySQL source documentation, class `Query_event`. Errors: UMBUS_BINLOG_TRUNCATED.
 */
export function parseQuery(type: number, bytes: Uint8Array, start: number, end: number): QueryEvent {
  const cursor = new Cursor(bytes, 'The QUERY event', 'UMBUS_BINLOG_TRUNCATED', start, end);
  cursor.take(QUERY_SCHEMA_LENGTH_AT, 'the post-header');
  const schemaBytes = cursor.uint(1, 'the schema length');
  const errorCode = cursor.uint(2, 'the error code');
  const statusBytes = cursor.uint(2, 'the length of the status variables');
  if (type === EventType.EXECUTE_LOAD_QUERY) cursor.take(LOAD_POST_HEADER_BYTES, 'the post-header');
  const statusStart = cursor.take(statusBytes, 'the status variables');
  const schema = cursor.text(schemaBytes, 'the schema');
  cursor.take(1, 'the schema');
  const status = new Cursor(
    bytes,
    "The QUERY event's status block",
    'UMBUS_BINLOG_TRUNCATED',
    statusStart,
    statusStart + statusBytes,
  );
  return { schema, ...readStatus(status), errorCode, sql: cursor.text(cursor.left, 'the statement') };
}

type Status = Pick<QueryEvent, 'schemas' | 'sqlMode' | 'clientCollation' | 'serverCollation'>;

function readStatus(status: Cursor): Status {
  let found: Status = { schemas: [], sqlMode: 0, clientCollation: null, serverCollation: null };
  while (status.left > 0) {
    const code = status.uint(1, 'a code');
    if (code === STATUS_UPDATED_SCHEMAS) {
      found = { ...found, schemas: readSchemas(status) };
      continue;
    }
    const length = fixedStatusBytes.get(code) ?? textStatusBytes(code, status);
    if (length === null) break;
    const at = status.take(length, `variable ${code}`);
    const value = new DataView(status.bytes.buffer, status.bytes.byteOffset + at, length);
    if (code === STATUS_SQL_MODE) found = { ...found, sqlMode: value.getUint32(0, true) };
    if (code === STATUS_CHARSET) {
      found = {
        ...found,
        clientCollation: value.getUint16(0, true),
        serverCollation: value.getUint16(4, true),
      };
    }
  }
  return found;
}

/** Catalog with a final zero (2), time zone (5), catalog (6), invoker's user and host (11); null for what is not known. */
function textStatusBytes(code: number, status: Cursor): number | null {
  switch (code) {
    case 2:
      return status.uint(1, 'the catalog') + 1;
    case 5:
    case 6:
      return status.uint(1, 'a text');
    case 11:
      status.take(status.uint(1, 'the user'), 'the user');
      return status.uint(1, 'the host');
    default:
      return null;
  }
}

function readSchemas(status: Cursor): string[] {
  const count = status.uint(1, 'the schema count');
  if (count >= TOO_MANY_SCHEMAS) return [];
  const names: string[] = [];
  for (let i = 0; i < count; i++) {
    const zero = status.bytes.indexOf(0, status.at);
    if (zero < 0 || zero >= status.end) throw status.fault('ends inside a schema name');
    names.push(status.text(zero - status.at, 'a schema name'));
    status.take(1, 'a schema name');
  }
  return names;
}

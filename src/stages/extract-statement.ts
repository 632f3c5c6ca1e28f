import {
  parseQuery,
  QUERY_POST_HEADER_BYTES,
  QUERY_SCHEMA_LENGTH_AT,
  QUERY_STATUS_LENGTH_AT,
  type QueryEvent,
} from '../binlog/query.ts';
import { type StatementKind, statementFacts } from '../binlog/statement.ts';
import { UmbusError } from '../core/errors.ts';
import { truncated } from './extract-tables.ts';

/** What the extractor does with a statement. */
export interface StatementVerdict {
  readonly kind: StatementKind;
  /** The subscribed schemas that the statement concerns, each once. */
  readonly schemas: readonly string[];
  /** As in `StatementFacts`. */
  readonly subject: string;
  /** All schemas that it concerns. */
  readonly concerned: ReadonlySet<string>;
  readonly query: QueryEvent;
}

const NONE: ReadonlySet<string> = new Set();
/** `BEGI` and `N`, `COMM` and `IT`, as little-endian numbers. */
const [BEGI, N, COMM, IT] = [0x49474542, 0x4e, 0x4d4d4f43, 0x5449];

/**
 * The two statements of almost every transaction of MySQL, told without making text of them: the kind of a QUERY event that is one of them, null for any other. `[start, end)` is
 * its body. Errors: UMBUS_BINLOG_TRUNCATED.
 */
export function plainKind(view: DataView, start: number, end: number): 'begin' | 'end' | null {
  if (end - start < QUERY_POST_HEADER_BYTES) throw truncated('QUERY event');
  const sql =
    start +
    QUERY_POST_HEADER_BYTES +
    view.getUint16(start + QUERY_STATUS_LENGTH_AT, true) +
    view.getUint8(start + QUERY_SCHEMA_LENGTH_AT) +
    1;
  if (end - sql === 5 && view.getUint32(sql, true) === BEGI && view.getUint8(sql + 4) === N) return 'begin';
  if (end - sql === 6 && view.getUint32(sql, true) === COMM && view.getUint16(sql + 4, true) === IT) {
    return 'end';
  }
  return null;
}

/**
 * Judges a QUERY or EXECUTE_LOAD_QUERY event: `[start, end)` is its body. A statement concerns its default schema, the schemas that the server names, and
 * those written before a dot in its text.
 * Errors: UMBUS_BINLOG_TRUNCATED.
 */
export function judgeStatement(
  type: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  subscribedSchema: (schema: string) => boolean,
): StatementVerdict {
  const query = parseQuery(type, bytes, start, end);
  const { kind, qualifiers, subject } = statementFacts(query.sql);
  if (kind !== 'data' && kind !== 'definition') return { kind, schemas: [], concerned: NONE, query, subject };
  const concerned = new Set([query.schema, ...query.schemas, ...qualifiers]);
  return { kind, schemas: [...concerned].filter(subscribedSchema), concerned, query, subject };
}

/** The error for rows that were changed by the text of a statement. */
export function statementFormatError(schema: string, place: string): UmbusError {
  return new UmbusError(
    'UMBUS_SOURCE_SETTING',
    `The binlog has a statement that changes rows of schema '${schema}' at ${place}: it is not in ROW format, so the rows are not in it. ` +
      "Run: SET GLOBAL binlog_format = 'ROW', and let all sessions connect anew; then load the schema's tables again.",
    { details: { schema, place } },
  );
}

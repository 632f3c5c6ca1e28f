import { parseQuery, type QueryEvent } from '../binlog/query.ts';
import { type StatementKind, statementFacts } from '../binlog/statement.ts';
import { UmbusError } from '../core/errors.ts';

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

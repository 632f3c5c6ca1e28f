import { fileNumberOf } from '../binlog/rotate.ts';
import { type Definition, definitionOf } from '../columns/definition.ts';
import { mayHideLabels, shownColumns } from '../columns/shown-columns.ts';
import { charsetNamed, type TableColumns } from '../columns/table-columns.ts';
import { UmbusError } from '../core/errors.ts';
import type { ChangeSource, DescribedTable, OpenFrom, ResumePoint } from '../ports/change-source.ts';
import type { PassedStatement } from './extract-columns.ts';
import { noColumns } from './extract-columns.ts';
import { DumpExtraction } from './extract-dump.ts';
import type { SourceOpened } from './extract-signal.ts';

/** What a look at the server says of a table at the place where the dump goes on. */
export interface LookedUpTable {
  readonly schema: string;
  readonly table: string;
  readonly found: { readonly columns: TableColumns } | { readonly why: string };
}

/** What a look at the server gave. */
export interface LookedUp {
  readonly tables: readonly LookedUpTable[];
  /** Default character sets, of schemas of which they are certain. */
  readonly schemas: readonly { readonly schema: string; readonly charset: string }[];
}

/** What is looked up, and where the dump goes on. */
export interface LookUpRequest {
  readonly source: ChangeSource;
  readonly schemas: readonly string[];
  /** A table that is to be looked up whatever the server lists; null for none. */
  readonly wanted: { readonly schema: string; readonly table: string } | null;
  /** Where the dump goes on, and the place in it before which all has passed; null when nothing has. */
  readonly from: OpenFrom;
  readonly passed: SourceOpened['skipBefore'];
}

const RUN_BYTES = 64 * 1024;
const NOT_SEEN =
  'the server does not show it to the account of the line: it is gone, or SELECT is not granted';
const NOT_SHOWN = 'a label of an ENUM or SET may hold a character that the server does not show';
const NOT_READ = 'its definition on the server is not understood';

/**
 * The columns that tables have where the dump goes on. The server says which they have now, under a lock that no definition runs through; and the binlog from there up to
 * where it ended after that says whether a statement since may have changed them. Only where none did is it certain. Reads that stretch of the binlog once, on a connection
 * of its own, which is closed again. Errors: those of {@link ChangeSource}.
 */
export async function lookUp(request: LookUpRequest, signal: AbortSignal): Promise<LookedUp> {
  const now = await request.source.describe({ schemas: request.schemas, also: request.wanted }, signal);
  const changed = await changesUntil(request, now.end, signal);
  return {
    tables: now.tables.map(each => ({
      schema: each.schema,
      table: each.table,
      found: judged(each, changed),
    })),
    schemas: now.schemas.flatMap(({ schema, charset }) => {
      const named = charsetNamed(charset);
      return named === null || changed.of(schema, null) !== null ? [] : [{ schema, charset: named }];
    }),
  };
}

function judged({ schema, table, sql }: DescribedTable, changed: LaterChanges): LookedUpTable['found'] {
  const place = changed.of(schema, table);
  if (place !== null) {
    return {
      why: `a statement at ${place} may change it, and what the server says now is what it is after that`,
    };
  }
  if (sql === null) return { why: NOT_SEEN };
  const columns = shownColumns(sql);
  if (columns === null) return { why: NOT_READ };
  return mayHideLabels(columns) ? { why: NOT_SHOWN } : { columns };
}

/** Tables and schemas that statements behind a place concern, each with the first such place. */
class LaterChanges {
  readonly #tables = new Map<string, string>();
  readonly #schemas = new Map<string, string>();

  /** Where a statement concerns a table, or a schema as a whole; null for nowhere. */
  of(schema: string, table: string | null): string | null {
    const whole = this.#schemas.get(schema.toLowerCase());
    if (whole !== undefined || table === null) return whole ?? null;
    return this.#tables.get(`${schema}\0${table}`.toLowerCase()) ?? null;
  }

  take({ query, concerned, place: at }: PassedStatement): void {
    const definition = definitionOf(query.sql);
    for (const { schema, table } of tablesOf(definition)) {
      const key = `${schema ?? query.schema}\0${table}`.toLowerCase();
      if (!this.#tables.has(key)) this.#tables.set(key, at);
    }
    for (const schema of schemasOf(definition, query.schema, concerned)) {
      if (!this.#schemas.has(schema.toLowerCase())) this.#schemas.set(schema.toLowerCase(), at);
    }
  }
}

function tablesOf(
  definition: Definition,
): readonly { readonly schema: string | null; readonly table: string }[] {
  switch (definition.kind) {
    case 'create':
      // Where the table was there it does nothing. Where it was not, all rows come after it.
      return definition.unless ? [] : [definition.table];
    case 'temporary':
      return [definition.table];
    case 'alter': {
      const renamed = definition.alteration?.renamed ?? null;
      return renamed === null ? [definition.table] : [definition.table, renamed];
    }
    case 'rename':
      return definition.pairs.flatMap(({ from, to }) => [from, to]);
    case 'drop':
      return definition.tables;
    default:
      return [];
  }
}

function schemasOf(
  definition: Definition,
  session: string,
  concerned: ReadonlySet<string>,
): Iterable<string> {
  switch (definition.kind) {
    case 'drop-schema':
      return [definition.schema];
    case 'alter-schema':
      return [definition.schema ?? session];
    case 'unknown':
      return concerned;
    default:
      return [];
  }
}

async function changesUntil(
  { source, from: place, passed }: LookUpRequest,
  end: Pick<ResumePoint, 'file' | 'position'>,
  signal: AbortSignal,
): Promise<LaterChanges> {
  const changed = new LaterChanges();
  await using connection = await source.open(place, signal);
  const dump = new DumpExtraction({
    subscribed: () => false,
    subscribedSchema: () => false,
    lands: false,
    runBytes: RUN_BYTES,
    columns: {
      ...noColumns,
      statement(statement) {
        changed.take(statement);
        return false;
      },
    },
  });
  const { server, from, switched } = connection;
  const skipBefore = switched ? null : passed;
  dump.open({ kind: 'open', server, from, epoch: 1, skipBefore, columns: null });
  const last = fileNumberOf(end.file);
  const behind = (): boolean => {
    if (dump.file === '') return true;
    const number = fileNumberOf(dump.file);
    return number < last || (number === last && dump.offset < end.position);
  };
  while (behind()) {
    signal.throwIfAborted();
    const bytes = await connection.read();
    if (bytes === null) {
      throw new UmbusError(
        'UMBUS_SOURCE_DISCONNECTED',
        'The server closed the connection while columns were looked up.',
      );
    }
    dump.read(bytes, 0);
    dump.takeClosed();
  }
  return changed;
}

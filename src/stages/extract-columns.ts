import { ColumnType } from '../binlog/column-type.ts';
import { charsetOf } from '../binlog/rows/collations.ts';
import { parseTableMap } from '../binlog/table-map.ts';
import type { TableMap } from '../binlog/table-map-types.ts';
import { type Definition, definitionOf } from '../columns/definition.ts';
import { fitTableMap } from '../columns/fit-table-map.ts';
import type { KnownChange } from '../columns/known.ts';
import { KnownColumns } from '../columns/known-columns.ts';
import { descriptionText } from '../columns/table-columns.ts';
import { UmbusError } from '../core/errors.ts';
import type { SourceOpened } from './extract-signal.ts';
import type { StatementVerdict } from './extract-statement.ts';
import type { KnownTable } from './extract-tables.ts';

/** A definition as the dump has it. */
export interface PassedStatement extends Pick<StatementVerdict, 'query' | 'concerned'> {
  /** `<file>:<offset>`. */
  readonly place: string;
  /** One of the two of a statement that is logged twice. */
  readonly inPhases: boolean;
}

/** What follows the columns of tables along a dump. */
export interface ColumnWatch {
  /** A dump begins. */
  open(signal: SourceOpened): void;
  /** Takes a definition that was not seen before. Whether equal table maps may mean other columns from here on. */
  statement(statement: PassedStatement): boolean;
  /** What a table map lacks of the columns, as a raw run says it. `place`: where its rows stand. Errors: UMBUS_SOURCE_COLUMNS. */
  columnsOf(table: Pick<KnownTable, 'schema' | 'table' | 'map'>, place: string): string;
  /** What has become known since the last call, to be kept with the events up to here. */
  takeChanges(): readonly KnownChange[];
}

/** Watches nothing. */
export const noColumns: ColumnWatch = {
  open: () => {},
  statement: () => false,
  columnsOf: () => '',
  takeChanges: () => [],
};

/** What lies between the processor of the extractor and its source: tables whose columns the source is to look up before it opens again. */
export interface ColumnDesk {
  /** One of them; null when there is none. */
  wanted: { readonly schema: string; readonly table: string } | null;
}

/** Bits of sql_mode with which text is read otherwise: REAL_AS_FLOAT, ANSI_QUOTES, the modes of other products, NO_BACKSLASH_ESCAPES. */
const OTHER_GRAMMAR = 0x1 | 0x4 | 0x200 | 0x400 | 0x800 | 0x1000 | 0x2000 | 0x4000 | 0x10_0000;
/** Client character sets whose text is read as it was meant: UTF-8, and others while it is ASCII. */
const UTF8: ReadonlySet<string> = new Set(['utf8mb3', 'utf8mb4']);
/** Character sets in which other bytes than those of a letter can look like ASCII, or ASCII is written otherwise. */
const NOT_ASCII = /^(big5|gbk|sjis|cp932|gb18030|ucs2|utf16|utf16le|utf32|swe7)$/;
/** Widths of BINARY that MariaDB's INET4, and its UUID and INET6, have in the binlog. */
const ADDRESS_WIDTHS: ReadonlySet<number> = new Set([4, 16]);
const BINARY = 63;

/**
 * The columns of tables along a dump: statements in their order, and what the source looked up. Awake where table maps do not say all: with MariaDB, with servers that say so, when
 * anything was known before, and when a table was met that needs it. Asleep it parses each new table map once, and nothing else.
 */
export class ColumnTracker implements ColumnWatch {
  readonly #known: KnownColumns;
  readonly #desk: ColumnDesk;
  readonly #lower: ReadonlySet<string> | null;
  #awake = false;
  #mariadb = false;
  /** Tables that were looked up in vain, and what was known of them then: nothing is asked again before that changes. */
  readonly #inVain = new Map<string, { readonly since: string | undefined; readonly why: string }>();
  /** Tables that were looked up, while no statement has passed since. */
  readonly #looked = new Set<string>();

  /** `schemas`: those whose statements all pass; null for every schema. */
  constructor(schemas: readonly string[] | null, desk: ColumnDesk) {
    const set = schemas === null ? null : new Set(schemas);
    this.#known = new KnownColumns(schema => set?.has(schema) ?? true);
    this.#lower = schemas === null ? null : new Set(schemas.map(schema => schema.toLowerCase()));
    this.#desk = desk;
  }

  open(signal: SourceOpened): void {
    const { columns, server } = signal;
    this.#mariadb = server.flavor === 'mariadb';
    this.#inVain.clear();
    this.#looked.clear();
    this.#known.load(columns?.kept ?? []);
    const looked = columns?.looked ?? null;
    this.#awake =
      this.#mariadb ||
      columns?.named === false ||
      looked !== null ||
      !this.#known.empty ||
      this.#desk.wanted !== null;
    for (const { schema, charset } of looked?.schemas ?? []) this.#known.setCharset(schema, charset);
    for (const { schema, table, found } of looked?.tables ?? []) {
      if ('columns' in found) {
        this.#known.set(schema, table, found);
        this.#looked.add(keyOf(schema, table));
      } else {
        const since = this.#known.table(schema, table)?.unknown?.since;
        this.#inVain.set(keyOf(schema, table), { since, why: found.why });
      }
    }
  }

  statement({ query, concerned, place, inPhases }: PassedStatement): boolean {
    if (!this.#awake) return false;
    const schemas = [...concerned].filter(schema => this.#lower?.has(schema.toLowerCase()) ?? true);
    if (schemas.length === 0) return false;
    const definition = understood(query, inPhases);
    if (definition.kind === 'none') return false;
    this.#looked.clear();
    this.#known.apply({
      definition,
      schema: query.schema,
      schemas,
      serverCharset: query.serverCollation === null ? null : charsetOf(query.serverCollation),
      place,
    });
    return true;
  }

  columnsOf(table: Pick<KnownTable, 'schema' | 'table' | 'map'>, place: string): string {
    const map = mapOf(table.map);
    // What cannot be read is the appender's to say.
    if (map === null || !lacksColumns(map, this.#mariadb)) return '';
    const { schema, table: name } = table;
    const known = this.#known.table(schema, name);
    const fits = known?.columns === undefined ? null : misfit(() => fitTableMap(map, known.columns ?? NEVER));
    if (known?.columns !== undefined && fits === null) return descriptionText(known.columns);
    if (fits !== null) {
      this.#known.set(schema, name, { unknown: { since: place, why: fits } });
    }
    const since = this.#known.table(schema, name)?.unknown?.since;
    const lookedUp = fits !== null && this.#looked.has(keyOf(schema, name));
    const why = lookedUp ? fits : this.#whyInVain(table, since, fits);
    if (why === null) throw this.#wanted(schema, name, place);
    const unknown = { since: since ?? place, why };
    this.#known.set(schema, name, { unknown });
    this.#inVain.set(keyOf(schema, name), { since: unknown.since, why: unknown.why });
    return descriptionText({ unknown });
  }

  takeChanges(): readonly KnownChange[] {
    return this.#known.takeChanges();
  }

  /** Why the last look at the server did not help; null when there was none since the table has changed. */
  #whyInVain(
    { schema, table }: Pick<KnownTable, 'schema' | 'table'>,
    since: string | undefined,
    misfit: string | null,
  ): string | null {
    const inVain = this.#inVain.get(keyOf(schema, table));
    if (inVain === undefined || (inVain.since !== since && misfit === null)) return null;
    return misfit ?? inVain.why;
  }

  #wanted(schema: string, table: string, place: string): UmbusError {
    this.#desk.wanted = { schema, table };
    return new UmbusError(
      'UMBUS_SOURCE_COLUMNS',
      `The binlog does not name the columns of ${schema}.${table}, met at ${place}: they are looked up.`,
      { details: { table: `${schema}.${table}`, place } },
    );
  }
}

const NEVER = { columns: [], primaryKey: [], charset: '' };

/** Why columns do not fit a table map; null when they do. */
function misfit(fit: () => unknown): string | null {
  try {
    fit();
    return null;
  } catch (error) {
    if (error instanceof UmbusError) return error.message;
    throw error;
  }
}

function mapOf(body: Uint8Array): TableMap | null {
  try {
    return parseTableMap(body);
  } catch (error) {
    if (error instanceof UmbusError) return null;
    throw error;
  }
}

/** Whether a table map leaves open how its columns are to be read. */
export function lacksColumns(map: TableMap, mariadb: boolean): boolean {
  if (!map.named) return true;
  return mariadb && map.columns.some(isMaybeAddress);
}

function isMaybeAddress({ type, meta, collation }: TableMap['columns'][number]): boolean {
  return type === ColumnType.STRING && collation === BINARY && ADDRESS_WIDTHS.has(meta & 0xff);
}

/** The definition, unless its text may not say here what it said to the server. */
function understood(query: PassedStatement['query'], inPhases: boolean): Definition {
  const definition = definitionOf(query.sql);
  if (definition.kind === 'none') return definition;
  // A DROP of several tables of which one is not there has dropped the others.
  if (query.errorCode !== 0 && definition.kind !== 'drop') return { kind: 'unknown' };
  const client = query.clientCollation === null ? null : charsetOf(query.clientCollation);
  const readable = client !== null && (UTF8.has(client) || (isAscii(query.sql) && !NOT_ASCII.test(client)));
  if (inPhases || !readable || query.sql.includes('�') || (query.sqlMode & OTHER_GRAMMAR) !== 0) {
    return { kind: 'unknown' };
  }
  return definition;
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

function keyOf(schema: string, table: string): string {
  return `${schema}\0${table}`;
}

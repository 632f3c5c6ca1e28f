import { resultColumn } from '../../binlog/result/result-column.ts';
import { pageTable } from '../../change/pull-page.ts';
import { type PullSignal, signalPacket } from '../../change/pull-signal.ts';
import { signalTableStatements, WATERMARK_TABLE } from '../../change/signal-tables.ts';
import { isUmbusError, messageOf, UmbusError } from '../../core/errors.ts';
import type { PullRows, PullSource, PullTable } from '../../ports/pull-source.ts';
import { chooseColumns, presentBits } from '../../sharding/chosen-columns.ts';
import { cutText, type KeyRange, quoteName, WHOLE_TABLE } from '../../sharding/key-range.ts';
import { chooseSplitKey, withoutHidden } from '../../sharding/split-key.ts';
import { boundarySql, fromClause, rowsSql } from '../../sharding/split-plan.ts';
import type { SqlSession } from './connect.ts';
import { KeptSession } from './kept-session.ts';
import type { MysqlLogin } from './options.ts';
import { assertInOrder, type PullReplica, untilFound, untilThere } from './pull-replica.ts';
import { MysqlPullRows, type SelectedRows } from './pull-rows.ts';
import { assertPullSettings } from './pull-settings.ts';
import { whileQuiet } from './quiet-table.ts';
import { PULL_SESSION_SQL, ResultReader } from './result-reader.ts';
import { rowKey } from './row-key.ts';
import { readKey } from './shard-boundary.ts';
import { accountOf } from './source-error.ts';
import { readTableDefinition, type TableDefinition } from './table-definition.ts';
import { hasWatermarkTable, insertWatermarkSql } from './watermark-table.ts';
import { PreparedTransactions } from './xa-prepared.ts';

/** Unknown column, syntax, collations that do not mix, unknown function, wrong number of parameters, wrong value. */
const SQL_ERRORS = new Set([1054, 1064, 1267, 1270, 1271, 1292, 1305, 1525, 1582, 1583, 1690]);

/** Where watermarks go. */
export interface PullSourceOptions {
  readonly ds: string;
  /** Schema of umbus's own tables. */
  readonly signalSchema: string;
  /** Which columns of a table are masked now, so that it may not be cut by them; default: none is. */
  readonly masked?: (schema: string, table: string) => Promise<(column: string) => boolean>;
  /** Where rows, keys and definitions are read; default: in the source. */
  readonly replica?: PullReplica | null;
}

/** Two for each shard; a pull deletes more than one writes. */
const TRIMMED_ROWS = 100_000;

/** Opens a source to pull from. Connects when it is first asked, and anew when a connection was lost. */
export function openPullSource(login: MysqlLogin, options: PullSourceOptions): PullSource {
  return new MysqlPullSource(login, options);
}

class MysqlPullSource implements PullSource {
  readonly #login: MysqlLogin;
  readonly #options: PullSourceOptions;
  /** One that asks and reads keys, one that writes; each answers one statement at a time. */
  readonly #asking: KeptSession;
  readonly #replica: PullReplica | null;
  /** Of the server that rows are read from. */
  readonly #reading: MysqlLogin;
  readonly #writing: KeptSession;
  readonly #prepared: PreparedTransactions;

  constructor(login: MysqlLogin, options: PullSourceOptions) {
    this.#login = login;
    this.#options = options;
    const { replica = null } = options;
    this.#replica = replica;
    this.#reading = replica?.login ?? login;
    this.#asking = new KeptSession(this.#reading, async session => {
      if (replica !== null) await assertInOrder(session);
      await session.query(PULL_SESSION_SQL);
    });
    this.#writing = new KeptSession(login, session => this.#makeTable(session));
    this.#prepared = new PreparedTransactions(this.#asking);
  }

  async table(
    schema: string,
    table: string,
    splitBy: readonly string[],
    wanted: readonly string[],
  ): Promise<PullTable> {
    const masked = (await this.#options.masked?.(schema, table)) ?? (() => false);
    const namesKeys = await this.#writing.use(assertPullSettings);
    return await this.#asking.use(async session => {
      // Names and texts of the catalogue are wanted in UTF-8, keys in the bytes of their columns.
      await session.query('SET character_set_results = utf8mb4');
      try {
        const look = () => readTableDefinition(session, schema, table);
        const definition = (await look()) ?? (await this.#whenReplicated(schema, table, look));
        if (definition === null) throw refused(schema, table, 'is not there, or the account may not see it');
        const primaryKey = await rowKey(session, definition, namesKeys);
        return this.#pullTable({ ...definition, primaryKey }, splitBy, wanted, masked);
      } finally {
        await session.query('SET character_set_results = NULL');
      }
    });
  }

  #pullTable(
    definition: TableDefinition,
    splitBy: readonly string[],
    wanted: readonly string[],
    masked: (column: string) => boolean,
  ): PullTable {
    const { schema, table, definitions, primaryKey } = definition;
    const key = primaryKey.length === 0 ? null : chooseSplitKey(withoutHidden(definition, masked), splitBy);
    const columns = definitions.map(resultColumn);
    const from = fromClause(schema, table, key);
    const indexes = primaryKey.map(name => columns.findIndex(({ map }) => map.name === name));
    const needed = [...primaryKey, ...(key?.columns ?? []).map(({ name }) => name)];
    if (primaryKey.length === 0 && wanted.length + splitBy.length > 0) throw uncut(schema, table);
    const chosen = wanted.length === 0 ? null : chooseColumns(definition, wanted, needed);
    const read = columns.filter((_, i) => chosen === null || chosen.has(i));
    const present = chosen === null ? null : presentBits(columns.length, chosen);
    return {
      schema,
      table,
      rowsEstimate: definition.rowsEstimate,
      keyed: primaryKey.length > 0,
      cutBy: cutText(key),
      page: pageTable(schema, table, { columns: columns.map(({ map }) => map), primaryKey: indexes }),
      check: condition => this.#check(from, condition),
      boundary: async (after, rows) =>
        key === null
          ? null
          : await this.#asking.use(session =>
              readKey(session, this.#reading, key, boundarySql(from, key, after, rows)),
            ),
      present,
      read: (range, condition, limit) =>
        this.#read({ key, columns: read, from, present }, range, condition, limit),
    };
  }

  async #read(
    { key, columns, from, present }: SelectedRows & { readonly from: string },
    range: KeyRange,
    condition: string | null,
    limit: number,
  ): Promise<PullRows> {
    const expressions = columns.map(({ map, select }) => select(quoteName(map.name ?? '')));
    const reader = await ResultReader.open(this.#reading);
    try {
      // What is read in no order can only be read as a whole.
      const most = key === null ? null : limit;
      await reader.select(rowsSql(from, key, range, expressions, condition, most));
      const rows = new MysqlPullRows(reader, { key, columns, present });
      await rows.begin();
      return rows;
    } catch (error) {
      await reader[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #check(from: string, condition: string): Promise<void> {
    try {
      await this.#asking.use(session => session.query(rowsSql(from, null, WHOLE_TABLE, ['1'], condition, 0)));
    } catch (error) {
      const errno = isUmbusError(error) ? Number(error.details['errno']) : 0;
      if (!SQL_ERRORS.has(errno)) throw error;
      // The server's text quotes the condition, which the user wrote, and no row.
      throw new UmbusError('UMBUS_PULL_CONDITION', `The source refuses the condition: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  /** A definition that a replica does not have yet, although the source has it. */
  async #whenReplicated(
    schema: string,
    table: string,
    look: () => Promise<TableDefinition | null>,
  ): Promise<TableDefinition | null> {
    const replica = this.#replica;
    if (replica === null) return null;
    const inSource = await this.#writing.use(session => readTableDefinition(session, schema, table));
    return inSource === null ? null : await untilFound(replica, `The table ${schema}.${table}`, look);
  }

  async reached(token: string, signal: AbortSignal): Promise<void> {
    const { ds, signalSchema: schema } = this.#options;
    if (this.#replica !== null) await untilThere(this.#asking, this.#replica, { schema, ds, token }, signal);
    await this.#prepared.untilOver(signal);
  }

  async quiet<T>(
    schema: string,
    table: string,
    work: () => Promise<T>,
    signal: AbortSignal,
  ): Promise<T | null> {
    // Not under the lock: it may take long.
    await this.#prepared.untilOver(signal);
    return await whileQuiet(this.#login, { schema, table }, work);
  }

  signal(signal: PullSignal): Promise<void> {
    const { ds, signalSchema } = this.#options;
    const token = 'token' in signal ? signal.token : '';
    return this.#writing.use(async session => {
      await this.#granted(session, insertWatermarkSql(signalSchema), [
        ds,
        signal.kind,
        token,
        signalPacket(signal),
      ]);
      if (signal.kind === 'begin') await this.#trim(session);
    });
  }

  /** Deletes watermarks that nobody looks at any more. An account that may not delete keeps them. */
  async #trim(session: SqlSession): Promise<void> {
    const { ds, signalSchema } = this.#options;
    try {
      await session.query(
        `DELETE FROM ${quoteName(signalSchema)}.${quoteName(WATERMARK_TABLE)} WHERE ds = ? AND create_time < NOW(6) - INTERVAL 1 DAY ORDER BY id LIMIT ${TRIMMED_ROWS}`,
        [ds],
      );
    } catch (error) {
      if (!isUmbusError(error, 'UMBUS_SOURCE_GRANT')) throw error;
    }
  }

  /** Runs a statement on umbus's own tables. Errors: UMBUS_SOURCE_GRANT that says what the account lacks there. */
  async #granted(session: SqlSession, sql: string, values: readonly unknown[] = []): Promise<void> {
    try {
      await session.query(sql, values);
    } catch (error) {
      if (!isUmbusError(error, 'UMBUS_SOURCE_GRANT')) throw error;
      const { schema, watermark } = signalTableStatements(this.#options.signalSchema);
      const grant = `GRANT SELECT, INSERT, DELETE ON ${quoteName(this.#options.signalSchema)}.* TO ${accountOf(this.#login)}`;
      throw new UmbusError(
        'UMBUS_SOURCE_GRANT',
        `The account '${this.#login.user}' may not write the watermarks of pulls. Run: ${[schema, watermark, grant].join('; ')};`,
        { cause: error, details: error.details },
      );
    }
  }

  async #makeTable(session: SqlSession): Promise<void> {
    const { schema, watermark } = signalTableStatements(this.#options.signalSchema);
    if (await hasWatermarkTable(session, this.#options.signalSchema)) return;
    await this.#granted(session, schema);
    await this.#granted(session, watermark);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#asking[Symbol.asyncDispose]();
    await this.#writing[Symbol.asyncDispose]();
  }
}

function refused(schema: string, table: string, why: string): UmbusError {
  const place = `${schema}.${table}`;
  return new UmbusError('UMBUS_PULL_TABLE', `The table ${place} ${why}.`, { details: { table: place } });
}

/** Rows without a key are told apart by all their values, and read as a whole. */
function uncut(schema: string, table: string): UmbusError {
  const place = `${schema}.${table}`;
  return new UmbusError(
    'UMBUS_PULL_COLUMN',
    `The table ${place} has no key, so it cannot be cut, and all of its columns are needed.`,
    { details: { table: place } },
  );
}

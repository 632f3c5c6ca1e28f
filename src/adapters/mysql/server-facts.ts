import { UmbusError } from '../../core/errors.ts';
import type { ServerIdentity } from '../../ports/change-source.ts';
import type { SqlRow, SqlSession } from './connect.ts';

/** What a server says of itself that a dump depends on. */
export interface ServerFacts {
  readonly identity: ServerIdentity;
  /** `server_id` of the server. */
  readonly serverId: number;
  /** Global variables by lower-case name, as text; names the server does not know are missing. */
  readonly variables: ReadonlyMap<string, string>;
  /** MySQL: `gtid_mode` is ON. MariaDB: true. */
  readonly gtidOn: boolean;
  /** MySQL: GTID set executed; '' when GTIDs are off. MariaDB: last GTID of each domain in the binlog. */
  readonly gtidExecuted: string;
  /** MySQL: GTID set that is in no binlog any more. MariaDB: ''. */
  readonly gtidPurged: string;
}

/** A binlog file of the server. */
export interface BinlogFile {
  readonly name: string;
  readonly sizeBytes: number;
}

const VARIABLES = [
  'server_id',
  'server_uuid',
  'server_uid',
  'log_bin',
  'binlog_format',
  'binlog_row_image',
  'binlog_row_metadata',
  'binlog_row_value_options',
  'binlog_transaction_compression',
  'log_bin_compress',
  'binlog_checksum',
  'gtid_mode',
  'expire_logs_days',
  'binlog_expire_logs_seconds',
  'binlog_expire_logs_auto_purge',
  'max_binlog_total_size',
] as const;

/** A column of a row as text; '' for NULL or a missing column. */
export function textOf(row: SqlRow | undefined, column: string): string {
  const value = row?.[column];
  return value === null || value === undefined ? '' : String(value);
}

function withoutSpace(gtid: string): string {
  return gtid.replaceAll(/\s/g, '');
}

async function readGtids(
  session: SqlSession,
  flavor: 'mysql' | 'mariadb',
  on: boolean,
): Promise<{ executed: string; purged: string }> {
  if (!on) return { executed: '', purged: '' };
  // SHOW VARIABLES cuts long values, so sets are selected.
  const [row] =
    flavor === 'mariadb'
      ? await session.query("SELECT @@global.gtid_binlog_pos AS executed, '' AS purged")
      : await session.query('SELECT @@global.gtid_executed AS executed, @@global.gtid_purged AS purged');
  return { executed: withoutSpace(textOf(row, 'executed')), purged: withoutSpace(textOf(row, 'purged')) };
}

/** Asks the server what it is. Needs no privilege. Errors: UMBUS_SOURCE_*. */
export async function readFacts(session: SqlSession): Promise<ServerFacts> {
  const names = VARIABLES.map(name => `'${name}'`).join(', ');
  const rows = await session.query(
    `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${names}); SELECT VERSION() AS version`,
  );
  const version = textOf(
    rows.find(row => 'version' in row),
    'version',
  );
  const variables = new Map(
    rows
      .filter(row => 'Variable_name' in row)
      .map(row => [textOf(row, 'Variable_name').toLowerCase(), textOf(row, 'Value')]),
  );
  const flavor = /mariadb/i.test(version) ? 'mariadb' : 'mysql';
  const gtidOn = flavor === 'mariadb' || variables.get('gtid_mode') === 'ON';
  const gtids = await readGtids(session, flavor, gtidOn);
  const own = flavor === 'mysql' ? variables.get('server_uuid') : variables.get('server_uid');
  const serverId = Number(variables.get('server_id'));
  return {
    identity: { flavor, version, id: own === undefined || own === '' ? `server-id:${serverId}` : own },
    serverId,
    variables,
    gtidOn,
    gtidExecuted: gtids.executed,
    gtidPurged: gtids.purged,
  };
}

/** The server's binlog files, oldest first. Errors: UMBUS_SOURCE_GRANT, UMBUS_SOURCE_SETTING when there is no binlog. */
export async function listBinlogs(session: SqlSession): Promise<readonly BinlogFile[]> {
  const rows = await session.query('SHOW BINARY LOGS');
  const files = rows.map(row => ({ name: textOf(row, 'Log_name'), sizeBytes: Number(row['File_size']) }));
  if (files.length === 0) {
    throw new UmbusError('UMBUS_SOURCE_SETTING', 'The server lists no binlog file.');
  }
  return files;
}

/** File, position and GTID set of the end of the binlog, taken together. */
export interface BinlogEnd {
  readonly file: string;
  readonly position: number;
  /** Executed up to that position; on MySQL possibly a little less while transactions commit, never more. */
  readonly gtid: string;
}

/** MariaDB: GTID position at a place in a binlog; '' at the start of history. Null when the place is none. */
export async function gtidAt(session: SqlSession, file: string, position: number): Promise<string | null> {
  const [row] = await session.query('SELECT BINLOG_GTID_POS(?, ?) AS gtid', [file, position]);
  const gtid = row?.['gtid'];
  return gtid === null || gtid === undefined ? null : String(gtid);
}

/** Where the binlog ends now. Errors: UMBUS_SOURCE_GRANT, UMBUS_SOURCE_SETTING. */
export async function readBinlogEnd(session: SqlSession, facts: ServerFacts): Promise<BinlogEnd> {
  // MySQL 8.4 took SHOW MASTER STATUS away; 8.2 brought the new name. MariaDB keeps the old one.
  const old = facts.identity.flavor === 'mariadb' || /^(5|8\.[01])\./.test(facts.identity.version);
  const [row] = await session.query(old ? 'SHOW MASTER STATUS' : 'SHOW BINARY LOG STATUS');
  if (row === undefined) {
    throw new UmbusError('UMBUS_SOURCE_SETTING', 'The server has no binlog: it tells no current file.');
  }
  const file = textOf(row, 'File');
  const position = Number(row['Position']);
  const gtid =
    facts.identity.flavor === 'mariadb'
      ? ((await gtidAt(session, file, position)) ?? '')
      : withoutSpace(textOf(row, 'Executed_Gtid_Set'));
  return { file, position, gtid };
}

/** `shop-bin.000042` gives 42; NaN for a name without a number. */
export function binlogNumber(file: string): number {
  return Number.parseInt(/\.(\d+)$/.exec(file)?.[1] ?? '', 10);
}

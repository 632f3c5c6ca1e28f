import { randomInt } from 'node:crypto';
import type { BinlogFiles } from '../../change/binlog-horizon.ts';
import type { ServerIdentity } from '../../ports/change-source.ts';
import { binlogFiles } from './binlog-files.ts';
import { withSession } from './connect.ts';
import { readReplicas } from './doctor-account.ts';
import type { MysqlLogin } from './options.ts';
import { type ReplicaStatus, replicaStatus } from './replica-status.ts';
import { type BinlogFile, readBinlogEnd, readFacts, textOf } from './server-facts.ts';

const SYSTEM_SCHEMAS = ['information_schema', 'mysql', 'performance_schema', 'sys'];
/** Suggested ids lie above those that people choose by hand, and within 32 bits. */
const LEAST_SUGGESTED_ID = 1_000_000;
const MOST_SUGGESTED_ID = 2 ** 31;

/** A server as someone who sets up a line sees it. */
export interface SourceInspection {
  readonly server: ServerIdentity;
  /** By name, without system schemas; `tables` counts base tables that the account can see. */
  readonly schemas: readonly { readonly name: string; readonly tables: number }[];
  /** A replica server id that neither the server nor a connected replica has. */
  readonly suggestedServerId: number;
}

/** Asks a server what is there. Errors: UMBUS_SOURCE_UNREACHABLE, UMBUS_SOURCE_AUTH. */
export function inspect(source: MysqlLogin, signal?: AbortSignal): Promise<SourceInspection> {
  return withSession(source, signal, async session => {
    const facts = await readFacts(session);
    const rows = await session.query(
      `SELECT s.schema_name AS name, COUNT(t.table_name) AS tables
         FROM information_schema.schemata s
         LEFT JOIN information_schema.tables t ON t.table_schema = s.schema_name AND t.table_type = 'BASE TABLE'
        WHERE s.schema_name NOT IN (?) GROUP BY s.schema_name ORDER BY s.schema_name`,
      [SYSTEM_SCHEMAS],
    );
    const replicas = (await readReplicas(session, facts)) ?? [];
    const taken = new Set(replicas.map(row => Number(row['Server_Id'] ?? row['Server_id'])));
    taken.add(facts.serverId);
    let suggestedServerId = randomInt(LEAST_SUGGESTED_ID, MOST_SUGGESTED_ID);
    while (taken.has(suggestedServerId)) suggestedServerId += 1;
    return {
      server: facts.identity,
      schemas: rows.map(row => ({ name: textOf(row, 'name'), tables: Number(row['tables']) })),
      suggestedServerId,
    };
  });
}

/** Where a server's binlog stands. */
export interface SourceStatus {
  readonly server: ServerIdentity;
  /** The end of the binlog. */
  readonly file: string;
  readonly position: number;
  /** GTID set executed up to there; '' without GTIDs. */
  readonly gtid: string;
  /** All binlog files, oldest first. */
  readonly binlogs: readonly BinlogFile[];
  /** When the server is a replica itself, and the account may see that; else null. */
  readonly replica: ReplicaStatus | null;
  /** The same, and how long they are kept. */
  readonly kept: BinlogFiles;
}

/** Asks a server where its binlog stands. Errors: UMBUS_SOURCE_UNREACHABLE, UMBUS_SOURCE_AUTH, UMBUS_SOURCE_GRANT, UMBUS_SOURCE_SETTING. */
export function sourceStatus(source: MysqlLogin, signal?: AbortSignal): Promise<SourceStatus> {
  return withSession(source, signal, async session => {
    const facts = await readFacts(session);
    const end = await readBinlogEnd(session, facts);
    const [clock] = await session.query('SELECT UNIX_TIMESTAMP() * 1000 AS ms');
    const kept = await binlogFiles(session, facts, Number(clock?.['ms']));
    const binlogs = kept.files.map(({ file, bytes }) => ({ name: file, sizeBytes: bytes }));
    const replica = await replicaStatus(session, facts);
    return { server: facts.identity, ...end, binlogs, kept, replica };
  });
}

import { parseGtidSet } from '../../binlog/gtid-set.ts';
import { encodeGtidSet } from '../../binlog/gtid-set-bytes.ts';
import { UmbusError } from '../../core/errors.ts';
import type { ChangeConnection, ChangeSource, OpenFrom } from '../../ports/change-source.ts';
import { connectSql, type SqlSession } from './connect.ts';
import { describeTables } from './describe-tables.ts';
import { dumpCommand, dumpGtidCommand, registerCommand } from './dump-commands.ts';
import { type DumpPlan, planDump } from './dump-plan.ts';
import { HEARTBEAT_MS, MAX_BUFFERED_BYTES, type MysqlSourceOptions } from './options.ts';
import { replicaUuid } from './replica-uuid.ts';
import { expectDump, expectOk } from './server-answer.ts';
import { readFacts, type ServerFacts } from './server-facts.ts';
import { Wire } from './wire.ts';

/** Silent heartbeat periods after which the connection is taken as dead. */
const SILENT_PERIODS = 3;
/** A paused socket must not make the server give up: its default is a minute. */
const NET_WRITE_TIMEOUT_S = 3_600;

function checkSettings(facts: ServerFacts, options: MysqlSourceOptions): void {
  if (facts.variables.get('log_bin') !== 'ON') {
    throw new UmbusError(
      'UMBUS_SOURCE_SETTING',
      'The server writes no binlog. Set log_bin = binlog in the [mysqld] section of its configuration and restart it.',
    );
  }
  const format = facts.variables.get('binlog_format') ?? 'ROW';
  if (format !== 'ROW') {
    throw new UmbusError(
      'UMBUS_SOURCE_SETTING',
      `binlog_format is ${format}, so changes are written as statements. Run: SET GLOBAL binlog_format = 'ROW'; sessions that are open keep the old format.`,
    );
  }
  if (facts.serverId === options.serverId) {
    throw new UmbusError(
      'UMBUS_SOURCE_SERVER_ID',
      `The line's server id ${options.serverId} is the server's own. Give the line another one.`,
      { details: { serverId: options.serverId } },
    );
  }
}

/**
 * Tells the server what kind of replica we are. Checksums: whatever the binlog has, for a server keeps them in file events even when
 * asked for none. Capability 4 (MariaDB): GTID events instead of their stand-ins. Old and new names: a server ignores those it does not know.
 */
async function introduce(
  session: SqlSession,
  facts: ServerFacts,
  options: MysqlSourceOptions,
  plan: DumpPlan,
) {
  const heartbeatNs = (options.heartbeatMs ?? HEARTBEAT_MS) * 1_000_000;
  const settings = [
    '@master_binlog_checksum = @@global.binlog_checksum',
    '@source_binlog_checksum = @@global.binlog_checksum',
    `@master_heartbeat_period = ${heartbeatNs}`,
    `@source_heartbeat_period = ${heartbeatNs}`,
    `SESSION net_write_timeout = ${NET_WRITE_TIMEOUT_S}`,
  ];
  if (facts.identity.flavor === 'mysql') {
    settings.push(
      `@slave_uuid = '${replicaUuid(options.serverId)}'`,
      `@replica_uuid = '${replicaUuid(options.serverId)}'`,
    );
  } else {
    settings.push('@mariadb_slave_capability = 4');
  }
  await session.query(`SET ${settings.join(', ')}`);
  if (facts.identity.flavor === 'mariadb' && plan.kind === 'gtid') {
    await session.query('SET @slave_connect_state = ?, @slave_gtid_strict_mode = 0', [plan.from.gtid]);
  }
}

function commandFor(facts: ServerFacts, options: MysqlSourceOptions, plan: DumpPlan): Buffer {
  const { file, position, gtid } = plan.from;
  // MySQL 5.6 ends a dump by this command at its second transaction when a file is named. There the 32 bits of the other one do: a file ends with the transaction
  // that makes it larger than 1 GB, so none begins beyond 4 GB.
  const byOldCommand = plan.kind !== 'gtid' && facts.identity.version.startsWith('5.6.');
  if (facts.identity.flavor === 'mysql' && facts.gtidOn && !byOldCommand) {
    // With a file the set stays empty: the position alone decides, and it has 64 bits in this command.
    return plan.kind === 'gtid'
      ? dumpGtidCommand(options.serverId, '', 4, encodeGtidSet(parseGtidSet('mysql', gtid)))
      : dumpGtidCommand(options.serverId, file, position, encodeGtidSet(parseGtidSet('mysql', '')));
  }
  return plan.kind === 'gtid'
    ? dumpCommand(options.serverId, '', 4)
    : dumpCommand(options.serverId, file, position);
}

async function dump(
  session: SqlSession,
  facts: ServerFacts,
  options: MysqlSourceOptions,
  plan: DumpPlan,
): Promise<ChangeConnection> {
  const wire = new Wire(session.socket, {
    maxBufferedBytes: options.maxBufferedBytes ?? MAX_BUFFERED_BYTES,
    idleMs: SILENT_PERIODS * (options.heartbeatMs ?? HEARTBEAT_MS),
  });
  try {
    wire.write(registerCommand(options.serverId));
    await expectOk(wire, options, 'registering as a replica');
    wire.write(commandFor(facts, options, plan));
    await expectDump(wire, options);
  } catch (error) {
    await wire[Symbol.asyncDispose]();
    throw error;
  }
  return {
    server: facts.identity,
    from: plan.from,
    switched: plan.switched,
    named: facts.variables.get('binlog_row_metadata')?.toUpperCase() === 'FULL',
    read: () => wire.read(),
    get buffered() {
      return wire.buffered;
    },
    [Symbol.asyncDispose]: () => wire[Symbol.asyncDispose](),
  };
}

/**
 * A MySQL or MariaDB server as a source of its binlog's bytes. The driver connects, authenticates and encrypts; then its socket is
 * ours and speaks the replication protocol. `from` of a dump by GTID has file '' and position 4: the artificial ROTATE event that
 * comes first names the file. The signal of `open` covers opening alone; disposing a connection ends a waiting read.
 */
export function createMysqlSource(options: MysqlSourceOptions): ChangeSource {
  return {
    describe: (request, signal) => describeTables(options, request, signal),
    async open(from: OpenFrom, signal: AbortSignal): Promise<ChangeConnection> {
      const session = await connectSql(options, signal);
      const abort = () => session.destroy();
      signal.addEventListener('abort', abort, { once: true });
      let connection: ChangeConnection | null = null;
      try {
        const facts = await readFacts(session);
        checkSettings(facts, options);
        const plan = await planDump(session, facts, from);
        await introduce(session, facts, options, plan);
        connection = await dump(session, facts, options, plan);
        signal.throwIfAborted();
        return connection;
      } catch (error) {
        session.destroy();
        await connection?.[Symbol.asyncDispose]();
        signal.throwIfAborted();
        throw error;
      } finally {
        signal.removeEventListener('abort', abort);
      }
    },
  };
}

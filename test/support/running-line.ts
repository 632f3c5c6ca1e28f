import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedLog, openEmbeddedLog } from '../../src/adapters/embedded/index.ts';
import { connectSql } from '../../src/adapters/mysql/connect.ts';
import { createMysqlSource } from '../../src/adapters/mysql/index.ts';
import type { MysqlSourceOptions } from '../../src/adapters/mysql/options.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { drainedTo } from '../../src/cli/drained.ts';
import { type Comparison, compareWithSource } from '../../src/cli/quickstart/compare.ts';
import type { Line, LineSchema } from '../../src/config/line.ts';
import type { TopologyEvents } from '../../src/runtime/events.ts';
import { type RunningTopology, startTopology } from '../../src/runtime/start.ts';
import type { TopologyDefinition } from '../../src/topology/definition.ts';
import { lineTopologies } from '../../topologies/index.ts';
import type { Server } from './servers.ts';
import { until } from './until.ts';

/** What a test says of its line; the rest has defaults. */
export interface TestLineOptions {
  readonly server: Server;
  readonly schemas: readonly string[];
  readonly schema?: Partial<LineSchema>;
  readonly partitions?: number;
  readonly start?: Line['source']['start'];
  readonly runBytes?: number;
  readonly timeZone?: string;
  readonly events?: TopologyEvents;
  /** Default: all three. */
  readonly topologies?: readonly string[];
  /** Where the log is, when the test goes on in it later; the test removes it. Default: a temporary directory of the line. */
  readonly dir?: string;
  /** Bound of the log; default 32 GB. */
  readonly maxBytes?: number;
  /** Topologies that run in place of the line's own, by name; they get the same config. */
  readonly instead?: Readonly<Record<string, TopologyDefinition<unknown>>>;
  /** What the extractor connects with instead, such as the port of a proxy. */
  readonly source?: Partial<MysqlSourceOptions>;
}

/** A data line in this process, on an embedded log in a temporary directory. */
export interface RunningLine extends AsyncDisposable {
  readonly line: Line;
  readonly log: EmbeddedLog;
  readonly topologies: readonly RunningTopology[];
  /** Waits until all that the source has committed by now has passed the line; fails when a topology does. */
  drained(deadlineMs?: number): Promise<void>;
  /** Waits until a topology has failed, and gives its error. */
  halted(deadlineMs?: number): Promise<unknown>;
  /** Rebuilds all tables from the result topics and compares them with the server's. */
  compare(): Promise<Comparison>;
}

/** The line of a test. */
export function testLine(options: TestLineOptions, dir: string): Line {
  const whole: LineSchema = { tables: ['*'], exclude: [], beforeImage: [] };
  return {
    ds: 'test',
    source: {
      kind: 'mysql',
      host: options.server.host,
      port: options.server.port,
      user: options.server.user,
      password: options.server.password,
      serverId: 3_000_000_000,
      tls: null,
      start: options.start ?? 'earliest',
    },
    schemas: {
      ...Object.fromEntries(options.schemas.map(name => [name, { ...whole, ...options.schema }])),
      [PROBE_SCHEMA]: whole,
    },
    log: { kind: 'embedded', dir, maxBytes: options.maxBytes ?? 32 * 1024 ** 3 },
    topics: { partitions: options.partitions ?? 2, retentionMs: null, retentionBytes: null },
    extractor: { runBytes: options.runBytes ?? 256 * 1024 },
    appender: { maxRows: 500, maxBytes: 1024 * 1024, timeZone: options.timeZone ?? 'UTC' },
  };
}

/** The end of the server's binlog, on any flavor and version. */
export async function binlogEnd(
  server: Server,
): Promise<{ readonly file: string; readonly position: number }> {
  const statement = server.flavor === 'mysql' ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS';
  const [row] = await server.query(statement);
  return { file: String(row?.['File']), position: Number(row?.['Position']) };
}

/** Starts a line; its files go when it is disposed, unless the test gave their directory. */
export async function startLine(options: TestLineOptions): Promise<RunningLine> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'umbus-line-')));
  const line = testLine(options, join(dir, 'log'));
  const log = await openEmbeddedLog({ ...line.log, mode: 'owner', clock: systemClock });
  const wanted = options.topologies;
  const topologies = lineTopologies(line, {
    source: createMysqlSource({ ...line.source, ...options.source }),
  })
    .filter(({ name }) => wanted === undefined || wanted.includes(name))
    .map(({ name, definition, config }) =>
      startTopology(options.instead?.[name] ?? definition, config, {
        log,
        clock: systemClock,
        instance: line.ds,
        ...(options.events === undefined ? {} : { events: options.events }),
      }),
    );
  const failed = Promise.race(topologies.map(topology => topology.done)).then(() => {
    throw new Error('A topology has stopped.');
  });
  let failure: { readonly error: unknown } | null = null;
  failed.catch(error => {
    failure = { error };
  });
  return {
    line,
    log,
    topologies,
    async drained(deadlineMs = 60_000) {
      const end = await binlogEnd(options.server);
      // A change after the end, so that the extractor has something to land there.
      await probe(options.server);
      await Promise.race([failed, until('the line to drain', () => drainedTo(log, line, end), deadlineMs)]);
    },
    async halted(deadlineMs = 20_000) {
      await until('a topology to fail', () => failure !== null, deadlineMs);
      // Set by the handler above, which the checker does not see.
      return (failure as { readonly error: unknown } | null)?.error;
    },
    async compare() {
      await using session = await connectSql(line.source);
      return await compareWithSource({
        log,
        resultTopics: options.schemas.map(schema => `${line.ds}.${schema}.result`),
        schemas: options.schemas,
        session,
      });
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(topologies.map(topology => topology.stop()));
      await log[Symbol.asyncDispose]();
      if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
    },
  };
}

/** A schema of its own for the changes that only show how far a line has got; lines must publish it. */
export const PROBE_SCHEMA = 'umbus_probe';

/** Commits one change in {@link PROBE_SCHEMA}. */
export async function probe(server: Server): Promise<void> {
  await server.query(`CREATE DATABASE IF NOT EXISTS ${PROBE_SCHEMA}`);
  await server.query(`CREATE TABLE IF NOT EXISTS ${PROBE_SCHEMA}.passed (at DATETIME(6) NOT NULL)`);
  await server.query(`INSERT INTO ${PROBE_SCHEMA}.passed VALUES (NOW(6))`);
}

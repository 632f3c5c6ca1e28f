import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedLog } from '../../src/adapters/embedded/index.ts';
import { openKafkaLog } from '../../src/adapters/kafka/index.ts';
import { connectSql } from '../../src/adapters/mysql/connect.ts';
import { createMysqlSource } from '../../src/adapters/mysql/index.ts';
import type { MysqlSourceOptions } from '../../src/adapters/mysql/options.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { drainedTo } from '../../src/cli/drained.ts';
import type { EventLog } from '../../src/cli/event-log.ts';
import { type Comparison, compareWithSource } from '../../src/cli/quickstart/compare.ts';
import { heartbeatPorts } from '../../src/cli/run/heartbeat-ports.ts';
import { openPullTools } from '../../src/cli/run/pull-tools.ts';
import type {
  Guarantee,
  HeartbeatSettings,
  KafkaLogSettings,
  Line,
  LineSchema,
} from '../../src/config/line.ts';
import { logicalName } from '../../src/config/logical-tables.ts';
import { noMetrics } from '../../src/config/metrics-schema.ts';
import { noBackOff } from '../../src/config/pull-schema.ts';
import { noAlarms } from '../../src/config/resolve-alarms.ts';
import { serverIdOf } from '../../src/config/resolve-line.ts';
import { fileMasks, sharedMasksSerde } from '../../src/config/shared-masks.ts';
import { isUmbusError } from '../../src/core/errors.ts';
import { NO_FUNCTIONS } from '../../src/masking/mask-spec.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Coordination } from '../../src/ports/coordination.ts';
import type { Log } from '../../src/ports/log.ts';
import type { TopologyEvents } from '../../src/runtime/events.ts';
import { type RunningTopology, startTopology } from '../../src/runtime/start.ts';
import type { TopologyDefinition } from '../../src/topology/definition.ts';
import { type HeartbeatPorts, lineTopologies } from '../../topologies/index.ts';
import type { Server } from './servers.ts';
import { until } from './until.ts';

/** A log on Kafka, for a line. */
export interface TestKafka extends Partial<KafkaLogSettings> {
  readonly brokers: readonly string[];
  readonly guarantee: Guarantee;
}

/** What a test says of its line; the rest has defaults. */
export interface TestLineOptions {
  readonly server: Server;
  readonly schemas: readonly string[];
  /** Default `test`. Lines that share a cluster have names of their own, since their topics begin with them. */
  readonly ds?: string;
  /** Default: an embedded log. */
  readonly kafka?: TestKafka;
  readonly schema?: Partial<LineSchema>;
  readonly partitions?: number;
  readonly start?: Line['source']['start'];
  readonly runBytes?: number;
  readonly timeZone?: string;
  readonly events?: TopologyEvents;
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Hears what the line says of its heartbeats. */
  readonly heard?: EventLog;
  /** Hears what a log on Kafka goes on after by itself. */
  readonly told?: (notice: string) => void;
  /** How it beats; default: it does not. `ports` replaces what it beats with. */
  readonly heartbeat?: Partial<HeartbeatSettings> & { readonly ports?: Partial<HeartbeatPorts> };
  /** Default: all. */
  readonly topologies?: readonly string[];
  /** Runs splitter and puller too, on this coordination. */
  readonly coordination?: Coordination;
  /** Shards that it reads at a time; default 6. */
  readonly concurrency?: number;
  /** When its pulls wait; default: never. */
  readonly backOff?: Partial<Line['pull']['backOff']>;
  /** Where pulls read rows; default: in the source. */
  readonly replica?: Line['pull']['replica'];
  /** What may wait of a table for the end of its pull; default 64 MB. */
  readonly heldBytes?: number;
  /** Name of the process in its pulls; default `test`. */
  readonly member?: string;
  /** Where the log is, when the test goes on in it later; the test removes it. Default: a temporary directory of the line. */
  readonly dir?: string;
  /** Bound of the log; default 32 GB. */
  readonly maxBytes?: number;
  /** Topologies that run in place of the line's own, by name; they get the same config. */
  readonly instead?: Readonly<Record<string, TopologyDefinition<unknown>>>;
  /** The way of the topologies to the log; default: straight. */
  readonly way?: (log: Log) => Log;
  /** What the extractor connects with instead, such as the port of a proxy. */
  readonly source?: Partial<MysqlSourceOptions>;
}

/** A data line in this process, on an embedded log in a temporary directory, or on Kafka. */
export interface RunningLine extends AsyncDisposable {
  readonly line: Line;
  readonly log: Log;
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
  const whole: LineSchema = {
    tables: ['*'],
    exclude: [],
    beforeImage: [],
    logical: {},
    initial: 'none',
    masks: [],
    result: { partitions: null, placeBy: 'table', placeColumns: {}, format: 'json' },
  };
  const { ds = 'test', kafka } = options;
  return {
    ds,
    source: {
      kind: 'mysql',
      host: options.server.host,
      port: options.server.port,
      user: options.server.user,
      password: options.server.password,
      serverId: serverIdOf(ds),
      tls: null,
      start: options.start ?? 'earliest',
    },
    schemas: {
      ...Object.fromEntries(options.schemas.map(name => [name, { ...whole, ...options.schema }])),
      [PROBE_SCHEMA]: whole,
    },
    log:
      kafka === undefined
        ? { kind: 'embedded', dir, maxBytes: options.maxBytes ?? 32 * 1024 ** 3 }
        : kafkaSettings(kafka),
    guarantee: kafka?.guarantee ?? 'effectively-once',
    coordination: { kind: 'log' },
    registry: null,
    heartbeat: heartbeatOf(options.heartbeat),
    pull: {
      concurrency: options.concurrency ?? 6,
      backOff: { ...noBackOff, ...options.backOff },
      replica: options.replica ?? null,
      heldBytes: options.heldBytes ?? 64 * 1024 ** 2,
    },
    signals: { schema: 'dbus' },
    masking: { keys: {}, timeoutMs: 1_000, directory: dir },
    topics: { partitions: options.partitions ?? 2, retentionMs: null, retentionBytes: null },
    extractor: { runBytes: options.runBytes ?? 256 * 1024 },
    metrics: noMetrics,
    appender: { maxRows: 500, maxBytes: 1024 * 1024, timeZone: options.timeZone ?? 'UTC' },
    alarms: noAlarms,
  };
}

function heartbeatOf(given: TestLineOptions['heartbeat']): Line['heartbeat'] {
  if (given === undefined) return null;
  const { ports: _, ...settings } = given;
  return {
    every: { kind: 'interval', ms: 200 },
    rows: 'line',
    keep: 10_000,
    timeoutMs: 5_000,
    statistics: true,
    ...settings,
  };
}

function kafkaSettings({ guarantee: _, ...given }: TestKafka): KafkaLogSettings {
  return {
    kind: 'kafka',
    tls: null,
    sasl: null,
    replicationFactor: null,
    compression: 'lz4',
    maxRecordBytes: 10 * 1024 ** 2,
    createTopics: true,
    sessionTimeoutMs: 3_000,
    ...given,
  };
}

/** Opens the log of a line of a test as its owner. On Kafka, `told` hears what passes by itself. */
export async function openTestLog(
  { ds, log, guarantee }: Line,
  told: (notice: string) => void = () => {},
): Promise<Log> {
  if (log.kind === 'embedded') return openEmbeddedLog({ ...log, mode: 'owner', clock: systemClock });
  return await openKafkaLog({
    ...log,
    clientId: ds,
    transactions: guarantee === 'exactly-once',
    clock: systemClock,
    onNotice: ({ message }) => told(message),
  });
}

/** The end of the server's binlog, on any flavor and version. */
export async function binlogEnd(
  server: Server,
): Promise<{ readonly file: string; readonly position: number }> {
  const old = server.flavor === 'mariadb' || server.version.startsWith('5.');
  const statement = old ? 'SHOW MASTER STATUS' : 'SHOW BINARY LOG STATUS';
  const [row] = await server.query(statement);
  return { file: String(row?.['File']), position: Number(row?.['Position']) };
}

/** Starts a line; its files go when it is disposed, unless the test gave their directory. */
export async function startLine(options: TestLineOptions): Promise<RunningLine> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'umbus-line-')));
  const line = testLine(options, join(dir, 'log'));
  const log = await openTestLog(line, options.told);
  const wanted = options.topologies;
  const ports = await heartbeatPorts(line, null, options.heard ?? (() => {}));
  const stopping = new AbortController();
  const { coordination, member = 'test' } = options;
  const inForce = {
    masks: fileMasks(line),
    read: sharedMasksSerde(line.masking, NO_FUNCTIONS).decode,
    functions: NO_FUNCTIONS,
  };
  const tools = {
    line,
    log,
    inForce,
    registered: null,
    clock: systemClock,
    member,
    stopping: stopping.signal,
  };
  const pulling =
    coordination === undefined
      ? null
      : await openPullTools({ ...tools, coordination, events: (_, message) => options.told?.(message) });
  const topologies = lineTopologies(line, {
    source: createMysqlSource({ ...line.source, ...options.source }),
    pulls: pulling?.pulls ?? null,
    heartbeat: ports === null ? null : { ...ports, ...options.heartbeat?.ports },
  })
    .filter(({ name }) => wanted === undefined || wanted.includes(name))
    .map(({ name, definition, config }) =>
      startTopology(options.instead?.[name] ?? definition, config, {
        log: options.way?.(log) ?? log,
        clock: options.clock ?? systemClock,
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
      const drained = (): Promise<boolean> => drainedTo(log, line, end).catch(unlessAway);
      await Promise.race([failed, until('the line to drain', drained, deadlineMs)]);
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
        logical: logicalName(line),
      });
    },
    async [Symbol.asyncDispose]() {
      stopping.abort(new Error('The line of the test stops.'));
      await Promise.all(topologies.map(topology => topology.stop()));
      await pulling?.[Symbol.asyncDispose]();
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

/** A broker that is away has not shown that anything is drained; other errors are passed on. */
export function unlessAway(error: unknown): false {
  if (isUmbusError(error) && error.retryable) return false;
  throw error;
}

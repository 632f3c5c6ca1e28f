import { openEmbeddedLog } from '../src/adapters/embedded/index.ts';
import { openKafkaLog } from '../src/adapters/kafka/index.ts';
import { systemClock } from '../src/adapters/system-clock.ts';
import type { Guarantee, Line } from '../src/config/line.ts';
import { noMetrics } from '../src/config/metrics-schema.ts';
import { noBackOff } from '../src/config/pull-schema.ts';
import { noAlarms } from '../src/config/resolve-alarms.ts';
import type { Log } from '../src/ports/log.ts';
import { LOAD_SCHEMA } from '../test/support/load.ts';

/** What a benchmark says of its line; passed to workers as JSON. */
export interface BenchLineOptions {
  /** Of the MariaDB on 127.0.0.1. */
  readonly port: number;
  /** Part of topic names; unique on a log that is shared. */
  readonly ds: string;
  readonly log:
    | { readonly kind: 'embedded'; readonly dir: string }
    | { readonly kind: 'kafka'; readonly brokers: readonly string[]; readonly guarantee: Guarantee };
  /** Of each by-schema topic and its result topic. */
  readonly partitions: number;
}

/** The line that the benchmarks run: the defaults of a data line file otherwise. */
export function benchLine(options: BenchLineOptions, start: Line['source']['start']): Line {
  const { port, ds, log, partitions } = options;
  return {
    ds,
    source: {
      kind: 'mysql',
      host: '127.0.0.1',
      port,
      user: 'root',
      password: '',
      serverId: 3_200_000_000,
      tls: null,
      start,
    },
    schemas: {
      [LOAD_SCHEMA]: {
        tables: ['t?', 'pulse'],
        exclude: [],
        beforeImage: [],
        logical: {},
        initial: 'none',
        masks: [],
        result: { partitions: null, placeBy: 'table', placeColumns: {}, format: 'json' },
      },
    },
    log:
      log.kind === 'embedded'
        ? { kind: 'embedded', dir: log.dir, maxBytes: 32 * 1024 ** 3 }
        : {
            kind: 'kafka',
            brokers: log.brokers,
            tls: null,
            sasl: null,
            replicationFactor: null,
            compression: 'lz4',
            maxRecordBytes: 10 * 1024 ** 2,
            createTopics: true,
            sessionTimeoutMs: 10_000,
          },
    guarantee: log.kind === 'kafka' ? log.guarantee : 'effectively-once',
    coordination: { kind: 'log' },
    registry: null,
    metrics: noMetrics,
    heartbeat: null,
    pull: { concurrency: 6, backOff: noBackOff, replica: null, heldBytes: 64 * 1024 ** 2 },
    signals: { schema: 'dbus' },
    masking: { keys: {}, timeoutMs: 1_000, directory: '/' },
    topics: { partitions, retentionMs: null, retentionBytes: null },
    extractor: { runBytes: 256 * 1024 },
    appender: { maxRows: 500, maxBytes: 1024 * 1024, timeZone: 'UTC' },
    alarms: noAlarms,
  };
}

/** The log of a line, as its owner. */
export async function openBenchLog({ ds, log, guarantee }: Line): Promise<Log> {
  const clock = systemClock;
  return log.kind === 'embedded'
    ? await openEmbeddedLog({ ...log, mode: 'owner', clock })
    : await openKafkaLog({ ...log, clientId: ds, transactions: guarantee === 'exactly-once', clock });
}

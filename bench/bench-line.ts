import type { Line } from '../src/config/line.ts';
import { LOAD_SCHEMA } from '../test/support/load.ts';

/** The line that the benchmarks run: one partition, the defaults of a data line file otherwise. */
export function benchLine(port: number, dir: string, start: Line['source']['start']): Line {
  return {
    ds: 'bench',
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
    schemas: { [LOAD_SCHEMA]: { tables: ['t?', 'pulse'], exclude: [], beforeImage: [] } },
    log: { kind: 'embedded', dir, maxBytes: 32 * 1024 ** 3 },
    topics: { partitions: 1, retentionMs: null, retentionBytes: null },
    extractor: { runBytes: 256 * 1024 },
    appender: { maxRows: 500, maxBytes: 1024 * 1024, timeZone: 'UTC' },
  };
}

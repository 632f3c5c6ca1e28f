/**
 * Decoding: raw runs to UMS messages in one thread, against the server's own decoder in C++ (`mariadb-binlog -v`) and against @vlasky/zongji, which makes
 * objects but no messages. All three take the same binlog files in one run, so the ratios mean something on any machine.
 * `node bench/decode.ts [SCALE]` starts a throw-away MariaDB and makes the loads, SCALE times their full size (default 0.2).
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ZongJi from '@vlasky/zongji';
import { createMysqlSource } from '../src/adapters/mysql/index.ts';
import { decodeRawRun, encodeRawRun } from '../src/change/raw-run.ts';
import { type LineMasks, maskRules } from '../src/config/mask-rules.ts';
import { type MaskRules, NO_FUNCTIONS, NO_MASKS } from '../src/masking/mask-spec.ts';
import {
  type AppendOutput,
  createAppender,
  type SignalState,
  type TableState,
} from '../src/stages/append.ts';
import { createExtractor, type Extracted } from '../src/stages/extract.ts';
import type { SourceSignal } from '../src/stages/extract-signal.ts';
import type { PullState } from '../src/stages/pull-state.ts';
import type { TableSchema } from '../src/ums/table-schema.ts';
import { LOAD_SCHEMA } from '../test/support/load.ts';
import { memoryStore } from '../test/support/memory-store.ts';
import { startMariadb } from '../test/support/servers.ts';
import { type LoadSet, makeLoadSets } from './load-sets.ts';
import { median, report, timeCommand } from './measure.ts';

/** A running MariaDB that holds the loads. */
export interface DecodeBenchServer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** One load: rows per second of each, and how much of it umbus reaches. */
export interface DecodeBenchRow {
  readonly kind: LoadSet['kind'];
  readonly rows: number;
  readonly rowsPerSecond: number;
  readonly megabytesOutPerSecond: number;
  readonly byServerDecoder: number;
  readonly byZongji: number;
  /** How fast it is with two columns masked, as a share of that without. */
  readonly masked: number;
}

const ROUNDS = 3;
const PASSES_SECONDS = 3;
/** A hash and a cut on each row of all three tables. */
const MASKS: LineMasks = {
  [LOAD_SCHEMA]: [
    { pattern: '*.name', mask: { type: 'md5', salt: null, saltColumn: null } },
    { pattern: '*.pad', mask: { type: 'keep-edges', first: 3, last: 2, fill: '*' } },
  ],
};
const SERVER_ID = 3_210_000_000;
/** Events that land nothing may follow the last run. */
const LANDED_SLACK_BYTES = 4096;

/** Measures all loads. */
export async function benchDecode(
  server: DecodeBenchServer,
  sets: readonly LoadSet[],
): Promise<readonly DecodeBenchRow[]> {
  const dir = await mkdtemp(join(tmpdir(), 'umbus-bench-decode-'));
  try {
    const rows: DecodeBenchRow[] = [];
    for (const set of sets) rows.push(await benchSet(server, set, dir));
    return rows;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function benchSet(server: DecodeBenchServer, set: LoadSet, dir: string): Promise<DecodeBenchRow> {
  const runs = await collectRuns(server, set);
  const { seconds, rows, bytes } = decodeAll(runs);
  const masked = decodeAll(runs, maskRules(MASKS, {}, NO_FUNCTIONS, 0));
  const decoder = await timeServerDecoder(server, set, dir);
  const zongji = await timeZongji(server, set, rows);
  return {
    kind: set.kind,
    rows,
    rowsPerSecond: rows / seconds,
    megabytesOutPerSecond: bytes / seconds / 1e6,
    byServerDecoder: decoder / seconds,
    byZongji: zongji / seconds,
    masked: seconds / masked.seconds,
  };
}

/** The runs that the extractor makes of the load, encoded as in its topic. */
async function collectRuns(server: DecodeBenchServer, set: LoadSet): Promise<readonly Buffer[]> {
  const source = createMysqlSource({ ...server, serverId: SERVER_ID, tls: null });
  const at = { file: set.file, position: 4 };
  await using connection = await source.open({ kind: 'start', at }, new AbortController().signal);
  const extractor = createExtractor({
    subscribed: schema => schema === LOAD_SCHEMA,
    subscribedSchema: schema => schema === LOAD_SCHEMA,
    runBytes: 256 * 1024,
  });
  const runs: Buffer[] = [];
  let next = 0;
  let done = false;
  const context = { stores: {}, task: 'bench-0', partition: 0, now: () => 0, park: () => undefined };
  const take = (_key: string, extracted: Extracted): void => {
    if (extracted.kind !== 'run') return;
    const { run } = extracted;
    done ||= run.file !== set.file;
    if (done) return;
    next = run.next;
    if (run.events.length > 0) runs.push(encodeRawRun(run));
  };
  const on = (value: SourceSignal): void =>
    extractor.on(
      { key: null, value, topic: '', offset: 0n, timestampMs: 0, seq: new Uint8Array(), headers: {} },
      context,
      take,
    );
  const { server: identity, from } = connection;
  on({ kind: 'open', server: identity, from, epoch: 1, skipBefore: null, columns: null });
  while (!done && next < set.end - LANDED_SLACK_BYTES) {
    const bytes = await connection.read();
    if (bytes === null) throw new Error('The dump ended early.');
    on({ kind: 'bytes', bytes });
    // The last run of a load is not full, so it is closed by hand once nothing more waits.
    if (connection.buffered === 0) extractor.every?.['commit']?.(context, take);
  }
  return runs;
}

/**
 * Seconds for one pass of an appender over all runs, from the bytes of the topic to the bytes of the messages: median of as many passes as take three
 * seconds together, after one that is not counted, in which the engine gets to know the code.
 */
function decodeAll(
  runs: readonly Buffer[],
  masks: MaskRules = NO_MASKS,
): { seconds: number; rows: number; bytes: number } {
  const states = new Map<string, TableState>();
  const signals = new Map<string, SignalState>();
  const context = {
    stores: {
      tables: memoryStore(states),
      schemas: memoryStore(new Map<string, TableSchema>()),
      signals: memoryStore(signals),
      pulls: memoryStore(new Map<string, PullState>()),
      changed: memoryStore(new Map<string, string>()),
      held: memoryStore(new Map<string, Uint8Array>()),
    },
    task: 'bench-0',
    partition: 0,
    now: () => 0,
    park: (_key: string, _bytes: Uint8Array, error: unknown) => {
      throw error;
    },
  };
  const appender = createAppender({ ds: 'bench', masks: () => masks });
  let bytes = 0;
  const count = (_key: string, output: AppendOutput): void => {
    bytes += output.value.length;
  };
  const seconds: number[] = [];
  let rows = 0;
  for (let total = 0; total < PASSES_SECONDS || seconds.length < ROUNDS; ) {
    bytes = 0;
    const start = performance.now();
    for (const run of runs) {
      const record = {
        key: '',
        value: decodeRawRun(run),
        topic: '',
        offset: 0n,
        timestampMs: 0,
        seq: new Uint8Array(16),
        headers: {},
      };
      appender.on(record, context, count);
    }
    const pass = (performance.now() - start) / 1000;
    if (rows > 0) {
      seconds.push(pass);
      total += pass;
      continue;
    }
    for (const { inserts, updates, deletes } of states.values()) rows += inserts + updates + deletes;
    if (rows === 0) throw new Error('The load has no rows.');
  }
  return { seconds: median(seconds), rows, bytes };
}

/** Seconds that `mariadb-binlog -v` takes for the file, its output thrown away. */
async function timeServerDecoder(server: DecodeBenchServer, set: LoadSet, dir: string): Promise<number> {
  const account = [
    `--host=${server.host}`,
    `--port=${server.port}`,
    `--user=${server.user}`,
    `--password=${server.password}`,
  ];
  const copy = ['--read-from-remote-server', '--raw', `--result-file=${dir}/`, ...account, set.file];
  await timeCommand('mariadb-binlog', copy, 1);
  const seconds = await timeCommand(
    'sh',
    ['-c', 'exec mariadb-binlog -v "$1" >/dev/null', 'sh', join(dir, set.file)],
    ROUNDS,
  );
  await rm(join(dir, set.file));
  return seconds;
}

/** Seconds that zongji takes for the rows of the load, read from the server. Fails when it finds fewer of them. */
async function timeZongji(server: DecodeBenchServer, set: LoadSet, expected: number): Promise<number> {
  const { host, port, user, password } = server;
  const zongji = new ZongJi({ host, port, user, password });
  let rows = 0;
  const start = performance.now();
  try {
    await new Promise<void>((resolve, reject) => {
      zongji.on('error', reject);
      zongji.on('binlog', event => {
        if ('rows' in event && Array.isArray(event.rows)) rows += event.rows.length;
        if (rows >= expected) resolve();
        const name = 'binlogName' in event ? String(event.binlogName) : set.file;
        if (name !== set.file) reject(new Error(`zongji found ${rows} of ${expected} rows.`));
      });
      zongji.start({
        serverId: SERVER_ID + 1,
        filename: set.file,
        position: 4,
        includeEvents: ['rotate', 'tablemap', 'writerows', 'updaterows', 'deleterows'],
        includeSchema: { [LOAD_SCHEMA]: ['t1', 't2', 't3'] },
      });
    });
    return (performance.now() - start) / 1000;
  } finally {
    zongji.stop();
  }
}

const decoderGoals: Readonly<Record<string, string>> = {
  bulk: '>= 1',
  oltp: '>= 4',
  single: '>= 4',
};

/** Prints the ratios as the report has them. */
export function reportDecode(rows: readonly DecodeBenchRow[]): void {
  for (const { kind, rowsPerSecond, megabytesOutPerSecond, byServerDecoder, byZongji, masked } of rows) {
    const detail = `${Math.round(rowsPerSecond / 1000)}k rows/s, ${Math.round(megabytesOutPerSecond)} MB/s of UMS`;
    report(`decode ${kind} / mariadb-binlog -v`, byServerDecoder, decoderGoals[kind] ?? '-', detail);
    report(`decode ${kind} / zongji`, byZongji, '>= 4', detail);
    report(`decode ${kind} masked / unmasked`, masked, '-', 'md5 and keep-edges on each row');
  }
}

if (process.argv[1] === import.meta.filename) {
  await using server = await startMariadb();
  const sets = await makeLoadSets(server, Number(process.argv[2] ?? 0.2));
  reportDecode(await benchDecode(server, sets));
}

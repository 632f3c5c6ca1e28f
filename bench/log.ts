/**
 * The embedded log against the plainest durable thing there is: appending the same bytes to a file and calling fdatasync for each group. Both run in
 * turns in one process, so that the ratio means something on any machine. `node bench/log.ts [MB per case]`.
 */
import { Buffer } from 'node:buffer';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { openEmbeddedLog } from '../src/adapters/embedded/index.ts';
import { systemClock } from '../src/adapters/system-clock.ts';
import type { Log, OutgoingRecord } from '../src/ports/log.ts';

/** One line of the result. `ratio` is the log's figure by the plain file's; for latency, above 1 is slower. */
export interface LogBenchRow {
  readonly what: string;
  readonly log: number;
  readonly plain: number;
  readonly unit: 'MB/s' | 'ms';
  readonly ratio: number;
  readonly note: string;
}

const GROUP_BYTES = 1_048_576;
const ROUNDS = 3;
const TOPIC = 'bench';
const at = { topic: TOPIC, partition: 0 };
const forever = new AbortController().signal;

/** Runs all cases with about `megabytes` each. */
export async function benchLog(megabytes: number): Promise<LogBenchRow[]> {
  const rows: LogBenchRow[] = [];
  for (const recordBytes of [1_024, 102_400, 262_144])
    rows.push(...(await benchThroughput(recordBytes, megabytes)));
  rows.push(await benchLatency());
  return rows;
}

async function benchThroughput(recordBytes: number, megabytes: number): Promise<LogBenchRow[]> {
  const perGroup = Math.max(1, Math.floor(GROUP_BYTES / recordBytes));
  const groups = Math.ceil((megabytes * 1_000_000) / (perGroup * recordBytes * ROUNDS));
  const total = groups * perGroup * recordBytes;
  const writes: number[] = [];
  const plains: number[] = [];
  const reads: number[] = [];
  let gap = 0;
  for (let round = 0; round < ROUNDS; round++) {
    plains.push(await plainAppend(groups, perGroup * recordBytes));
    await withLog(async (log, reopen) => {
      const watch = watchEventLoop();
      writes.push(await commitGroups(log, groups, perGroup, recordBytes));
      gap = Math.max(gap, watch.stop());
      reads.push(await readBack(await reopen()));
    });
  }
  const rate = (times: readonly number[]) => total / 1_000 / median(times);
  const name = `${recordBytes / 1_024} KB`;
  const perSecond = Math.round((groups * perGroup * 1_000) / median(writes));
  return [
    row(
      `commit ${name} records, 1 MB groups`,
      rate(writes),
      rate(plains),
      'MB/s',
      `${perSecond} records/s, event loop held ${gap.toFixed(0)} ms at most`,
    ),
    row(
      `read ${name} records from the store`,
      rate(reads),
      rate(plains),
      'MB/s',
      `${Math.round((groups * perGroup * 1_000) / median(reads))} records/s, against the plain writing`,
    ),
  ];
}

/** As the runtime does: two commits in flight, each with outputs and an offset. */
async function commitGroups(
  log: Log,
  groups: number,
  perGroup: number,
  recordBytes: number,
): Promise<number> {
  const listener = { assigned() {}, revoking() {}, lost() {} };
  await using member = await log.join({ group: 'bench', topics: ['in'], member: 'bench', listener });
  await member.poll({ maxBytes: 1, maxWaitMs: 0 }, forever);
  const value = Buffer.alloc(recordBytes, 'umbus ');
  const record: OutgoingRecord = {
    ...at,
    key: Buffer.from('key'),
    value,
    timestampMs: systemClock.now(),
    headers: {},
  };
  const outputs = Array.from({ length: perGroup }, () => record);
  const started = performance.now();
  const inFlight: Promise<void>[] = [];
  for (let group = 0; group < groups; group++) {
    const offsets = [{ topic: 'in', partition: 0, offset: BigInt(group), metadata: '{"lane":"x"}' }];
    inFlight.push(member.commit({ outputs, offsets }));
    if (inFlight.length === 2) await inFlight.shift();
  }
  await Promise.all(inFlight);
  return performance.now() - started;
}

async function readBack(log: Log): Promise<number> {
  const started = performance.now();
  const end = await log.offset(at, 'latest');
  for (let offset = 0n; offset < end; ) {
    const batch = await log.read({ ...at, offset }, { maxBytes: 4 * 1_048_576, maxWaitMs: 0 }, forever);
    offset = batch.nextOffset;
  }
  return performance.now() - started;
}

async function plainAppend(groups: number, groupBytes: number): Promise<number> {
  const dir = await mkdtemp(join(tmpdir(), 'umbus-bench-'));
  const file = await open(join(dir, 'plain'), 'w');
  try {
    const bytes = Buffer.alloc(groupBytes, 'umbus ');
    const started = performance.now();
    for (let group = 0; group < groups; group++) {
      await file.write(bytes);
      await file.datasync();
    }
    return performance.now() - started;
  } finally {
    await file.close();
    await rm(dir, { recursive: true });
  }
}

async function benchLatency(): Promise<LogBenchRow> {
  const count = 500;
  const dir = await mkdtemp(join(tmpdir(), 'umbus-bench-'));
  const file = await open(join(dir, 'plain'), 'w');
  const plain: number[] = [];
  const committed: number[] = [];
  const value = Buffer.alloc(300, 'x');
  await withLog(async log => {
    await using writer = await log.openWriter('bench');
    for (let index = 0; index < count; index++) {
      const one = performance.now();
      await file.write(value);
      await file.datasync();
      const two = performance.now();
      await writer.append([{ ...at, key: null, value, timestampMs: 1, headers: {} }]);
      plain.push(two - one);
      committed.push(performance.now() - two);
    }
  });
  await file.close();
  await rm(dir, { recursive: true });
  const p99 = (times: readonly number[]) =>
    [...times].sort((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? 0;
  return row(
    'commit of one record of 300 bytes, median',
    median(committed),
    median(plain),
    'ms',
    `p99 ${p99(committed).toFixed(2)} ms against ${p99(plain).toFixed(2)} ms`,
  );
}

async function withLog(run: (log: Log, reopen: () => Promise<Log>) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'umbus-bench-'));
  const openLog = () =>
    openEmbeddedLog({
      dir,
      mode: 'owner',
      maxBytes: 64 * 1_073_741_824,
      clock: systemClock,
      maintenanceIntervalMs: null,
    });
  let log = await openLog();
  try {
    const spec = { partitions: 1, cleanup: 'delete', retentionMs: null, retentionBytes: null } as const;
    await log.ensureTopics([
      { name: 'in', ...spec },
      { name: TOPIC, ...spec },
    ]);
    await run(log, async () => {
      await log[Symbol.asyncDispose]();
      log = await openLog();
      return log;
    });
  } finally {
    await log[Symbol.asyncDispose]();
    await rm(dir, { recursive: true });
  }
}

/** The longest time between two turns of the event loop. */
function watchEventLoop(): { stop(): number } {
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 1);
  return {
    stop() {
      clearInterval(timer);
      return longest;
    },
  };
}

function row(what: string, log: number, plain: number, unit: 'MB/s' | 'ms', note: string): LogBenchRow {
  return { what, log, plain, unit, ratio: log / plain, note };
}

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[values.length >> 1] ?? 0;
}

if (import.meta.main) {
  for (const { what, log, plain, unit, ratio, note } of await benchLog(Number(process.argv[2] ?? 600))) {
    const figures = `${log.toFixed(unit === 'ms' ? 2 : 0)} against ${plain.toFixed(unit === 'ms' ? 2 : 0)} ${unit}`;
    console.log(`${what.padEnd(44)} ${figures.padEnd(28)} ratio ${ratio.toFixed(2)}   ${note}`);
  }
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeRawRun, encodeRawRun, type RawRun } from '../../../src/change/raw-run.ts';
import type {
  ChangeConnection,
  ChangeSource,
  OpenFrom,
  StartPoint,
} from '../../../src/ports/change-source.ts';
import { type ExtractColumns, extractSource } from '../../../src/stages/extract-source.ts';
import type { Rec, Topic } from '../../../src/topology/types.ts';
import { columnsTopic } from '../../../topologies/topics.ts';

const topic: Topic<string, RawRun> = {
  name: 'shop',
  key: { name: 'text', encode: Buffer.from, decode: bytes => Buffer.from(bytes).toString() },
  value: { name: 'raw-run', encode: encodeRawRun, decode: decodeRawRun },
  partitions: 1,
  cleanup: 'delete',
  retentionMs: null,
  retentionBytes: null,
};

const columns: ExtractColumns = {
  topic: columnsTopic({ ds: 'shop' }),
  desk: { wanted: null },
  schemas: ['shop'],
};

const run: RawRun = {
  kind: 'mysql-binlog',
  server: 'server-1',
  epoch: 3,
  file: 'bin.000002',
  position: 1000,
  next: 2000,
  resume: { file: 'bin.000002', position: 1500, gtid: '0-1-7' },
  checksum: true,
  captured: 0,
  filtered: 0,
  tables: [],
  spans: [],
  events: Buffer.alloc(0),
};
const tail: Rec<string, RawRun> = {
  key: '',
  value: run,
  topic: 'web',
  offset: 0n,
  timestampMs: 0,
  seq: new Uint8Array(16),
  headers: {},
};

/** A source that gives two chunks, then ends; remembers what it was asked. */
function sourceOf(switched: boolean): { source: ChangeSource; asked: OpenFrom[]; closed: () => boolean } {
  const asked: OpenFrom[] = [];
  let closed = false;
  const source: ChangeSource = {
    open: async from => {
      asked.push(from);
      const chunks: Uint8Array[] = [Buffer.from('a'), Buffer.from('b')];
      const connection: ChangeConnection = {
        server: { flavor: 'mariadb', version: '', id: 'server-2' },
        from: { file: 'bin.000002', position: 1500, gtid: '0-1-7' },
        switched,
        named: true,
        read: async () => chunks.shift() ?? null,
        get buffered() {
          return chunks.length;
        },
        [Symbol.asyncDispose]: async () => {
          closed = true;
        },
      };
      return connection;
    },
    describe: () => Promise.reject(new Error('Nobody asks.')),
  };
  return { source, asked, closed: () => closed };
}

async function openedBy(start: StartPoint, from: Rec<string, RawRun> | null, switched = false) {
  const { source, asked, closed } = sourceOf(switched);
  const external = extractSource({ source, topic, start, columns });
  const connection = await external.open(from, new AbortController().signal, new Map());
  const signals: unknown[] = [];
  for (;;) {
    const { ready } = connection;
    const signal = await connection.read();
    assert.equal(ready, signal !== null && signal.kind !== 'ended');
    if (signal === null) break;
    signals.push(signal);
  }
  await connection[Symbol.asyncDispose]();
  assert.ok(closed());
  return { asked, signals, resumeFrom: external.resumeFrom };
}

test('an empty topic begins at the start point of the line', async () => {
  const { asked, signals, resumeFrom } = await openedBy('earliest', null);
  assert.equal(resumeFrom, topic);
  assert.deepEqual(asked, [{ kind: 'start', at: 'earliest' }]);
  assert.deepEqual(signals, [
    {
      kind: 'open',
      server: { flavor: 'mariadb', version: '', id: 'server-2' },
      from: { file: 'bin.000002', position: 1500, gtid: '0-1-7' },
      epoch: 1,
      skipBefore: null,
      columns: { kept: [], looked: null, named: true },
    },
    { kind: 'bytes', bytes: Buffer.from('a') },
    { kind: 'bytes', bytes: Buffer.from('b') },
    { kind: 'ended' },
  ]);
});

test('a tail resumes at its open transaction and skips what it holds', async () => {
  const { asked, signals } = await openedBy('now', tail);
  assert.deepEqual(asked, [{ kind: 'resume', server: 'server-1', at: run.resume }]);
  const [opened] = signals as [{ epoch: number; skipBefore: unknown }];
  assert.equal(opened.epoch, 3);
  assert.deepEqual(opened.skipBefore, { file: 'bin.000002', position: 2000 });
});

test('another server begins a new epoch and skips nothing', async () => {
  const { signals } = await openedBy('now', tail, true);
  const [opened] = signals as [{ epoch: number; skipBefore: unknown }];
  assert.equal(opened.epoch, 4);
  assert.equal(opened.skipBefore, null);
});

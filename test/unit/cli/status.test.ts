import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, it } from 'node:test';
import { encodeRawRun } from '../../../src/change/raw-run.ts';
import { jsonText } from '../../../src/cli/json-text.ts';
import { bytesBetween } from '../../../src/cli/status/lag.ts';
import type { LineStatus, PullsStatus } from '../../../src/cli/status/line-status.ts';
import { readLogStatus } from '../../../src/cli/status/read-log.ts';
import { sourceAbsent, sourceLag } from '../../../src/cli/status/source-lag.ts';
import { statusText } from '../../../src/cli/status/status-text.ts';
import { UmbusError } from '../../../src/core/errors.ts';
import { deadHeaders, filledLog, outgoing, rawRun, shopLine, umsMessage } from './line-log.ts';

const never = new AbortController().signal;
const files = [
  { name: 'binlog.000002', sizeBytes: 900 },
  { name: 'binlog.000003', sizeBytes: 1_000 },
  { name: 'binlog.000004', sizeBytes: 2_000 },
  { name: 'binlog.000005', sizeBytes: 300 },
];

function tableState(inserts: number, parked: object | null): Buffer {
  return Buffer.from(
    JSON.stringify({
      version: 1,
      inserts,
      updates: 2,
      deletes: 3,
      messages: 4,
      lastTs: '2026-11-21 01:02:03.000000',
      parked,
    }),
  );
}

const changelog = 'umbus.shop.appender-tables-changelog';
const pullsChangelog = 'umbus.shop.appender-pulls-changelog';
/** What the appender keeps of a pull; `held`: what waits for it. */
function pullState(held: object | null): Buffer {
  return Buffer.from(JSON.stringify({ pull: 'p-1', phase: 'open', held }));
}
const waiting = {
  count: 1204,
  bytes: 3 * 1024 ** 2,
  version: 0,
  at: { epoch: 1, fileNumber: 3, position: 4, seconds: 1_700_000_000, micros: 250_000 },
};

const parked = {
  since: '2026-11-21T01:02:03.000Z',
  code: 'UMBUS_BINLOG_TYPE',
  message: 'No such type.',
  events: 2,
};

async function logStatus() {
  const log = await filledLog([
    outgoing('shop', 0, 'a', encodeRawRun(rawRun(100, 2))),
    outgoing('shop', 0, 'b', encodeRawRun(rawRun(500, 3))),
    outgoing('shop.shop.result', 1, 'k', umsMessage('i', { id: 1, note: null })),
    outgoing(changelog, 0, 'shop.orders', tableState(1, null)),
    outgoing(changelog, 0, 'shop.orders', tableState(10, null)),
    outgoing(changelog, 0, 'shop.gone', tableState(10, null)),
    outgoing(changelog, 0, 'shop.gone', null),
    outgoing(pullsChangelog, 0, 'shop.orders', pullState(waiting)),
    outgoing(pullsChangelog, 0, 'shop.gone', pullState(waiting)),
    outgoing(pullsChangelog, 0, 'shop.gone', pullState(null)),
    outgoing(changelog, 1, 'shop.bad', tableState(7, parked)),
    outgoing('shop_dead', 0, 'shop.bad', encodeRawRun(rawRun(100, 1)), deadHeaders('UMBUS_BINLOG_TYPE')),
    outgoing('shop_dead', 0, 'shop.orders', encodeRawRun(rawRun(100, 1)), deadHeaders('UMBUS_BINLOG_TYPE')),
    outgoing('shop_dead', 0, 'stray', Buffer.from('x'), deadHeaders('UMBUS_TOPOLOGY_DECODE')),
  ]);
  await using member = await log.join({
    group: 'umbus.shop.dispatcher',
    topics: ['shop'],
    member: 'm',
    listener: { assigned() {}, revoking() {}, lost() {} },
  });
  await member.poll({ maxBytes: 1_000_000, maxWaitMs: 0 }, never);
  await member.commit({ outputs: [], offsets: [{ topic: 'shop', partition: 0, offset: 1n, metadata: '' }] });
  return readLogStatus(log, shopLine(), never);
}

const pulls: PullsStatus = {
  known: true,
  open: [
    {
      pull: 'p-1',
      table: 'shop.orders',
      status: 'paused',
      mode: 'blocking',
      askedAt: '2026-11-21T00:00:00.000Z',
      shards: 40,
      shardsDone: 12,
      rows: 1_200_000,
      rowsEstimate: 4_000_000,
      rowsPerSecond: 51_000,
      waits: null,
    },
  ],
  failed: [
    {
      pull: 'p-2',
      table: 'shop.lines',
      code: 'UMBUS_PULL_CHANGED',
      message: 'It changed.',
      endedAt: '2026-11-21T00:01:00.000Z',
    },
  ],
};

async function status(changes: Partial<LineStatus> = {}): Promise<LineStatus> {
  const read = await logStatus();
  const source = sourceLag(
    { file: 'binlog.000005', position: 200, gtid: '0-7-99', files },
    read.extractor,
    1_700_000_060_000,
  );
  return { ds: 'shop', at: '2026-11-21T00:00:00.000Z', ...read, pulls, source, attention: true, ...changes };
}

describe('readLogStatus', () => {
  it('takes the position from the newest raw run', async () => {
    assert.deepEqual((await logStatus()).extractor, {
      server: 'server-id:7',
      epoch: 1,
      file: 'binlog.000003',
      position: 557,
      gtid: '0-7-42',
      capturedAt: '2023-11-14T22:15:00.000Z',
      eventAt: '2023-11-14T22:13:22.000Z',
    });
  });

  it('measures each group that has committed', async () => {
    assert.deepEqual((await logStatus()).groups, [
      { group: 'umbus.shop.dispatcher', topic: 'shop', partition: 0, offset: 1n, end: 2n, lagRecords: 1n },
    ]);
  });

  it('takes the newest state of each table, and leaves deleted ones out', async () => {
    const { tables } = await logStatus();
    assert.deepEqual(
      tables.map(table => [table.table, table.inserts, table.parked]),
      [
        ['shop.bad', 7, parked],
        ['shop.orders', 10, null],
      ],
    );
  });

  it('tells dead letters that wait from those replayed and those of no table', async () => {
    assert.deepEqual((await logStatus()).dead, { topic: 'shop_dead', records: 3, waiting: 1, others: 1 });
  });

  it('tells what waits of a table for its full pull, and how much may', async () => {
    const { held } = await logStatus();
    assert.deepEqual(held, [
      {
        table: 'shop.orders',
        pull: 'p-1',
        since: '2023-11-14T22:13:20.250Z',
        messages: 1204,
        bytes: 3 * 1024 ** 2,
        maxBytes: shopLine().pull.heldBytes,
      },
    ]);
  });

  it('gives an empty status for a line that has not run', async () => {
    const { createMemoryLog } = await import('../../../src/adapters/memory/memory-log.ts');
    const empty = await readLogStatus(createMemoryLog(), shopLine(), never);
    assert.equal(empty.extractor, null);
    assert.deepEqual([empty.topics, empty.groups, empty.tables, empty.dead.records], [[], [], [], 0]);
  });
});

describe('lag', () => {
  it('adds up the binlog files between two places', () => {
    const from = { file: 'binlog.000003', position: 400 };
    assert.equal(bytesBetween(files, from, { file: 'binlog.000003', position: 450 }), 50);
    assert.equal(bytesBetween(files, from, { file: 'binlog.000005', position: 200 }), 600 + 2_000 + 200);
    assert.equal(bytesBetween(files, from, { file: 'binlog.000003', position: 300 }), 0);
    assert.equal(bytesBetween(files, { file: 'binlog.000001', position: 4 }, from), null);
  });

  it('is counted in seconds from the last event, and 0 when nothing is left to read', async () => {
    const { extractor } = await logStatus();
    const behind = sourceLag(
      { file: 'binlog.000003', position: 600, gtid: '', files },
      extractor,
      1_700_000_060_000,
    );
    assert.deepEqual(behind.reachable && [behind.lagBytes, behind.lagSeconds, behind.positionGone], [
      43,
      58,
      false,
    ]);
    const level = sourceLag(
      { file: 'binlog.000003', position: 557, gtid: '', files },
      extractor,
      1_700_000_060_000,
    );
    assert.deepEqual(level.reachable && [level.lagBytes, level.lagSeconds], [0, 0]);
  });

  it('is not known when the file is gone from the server, and that is said', async () => {
    const { extractor } = await logStatus();
    const gone = sourceLag(
      { file: 'binlog.000005', position: 4, gtid: '', files: files.slice(2) },
      extractor,
      0,
    );
    assert.deepEqual(gone.reachable && [gone.lagBytes, gone.positionGone], [null, true]);
  });
});

describe('statusText', () => {
  it('shows position, lag, tables, groups, topics and what is parked', async () => {
    const text = statusText(await status(), (_style, each) => each);
    assert.match(
      text,
      /^line +shop\nextractor +binlog\.000003:557 \(GTID 0-7-42\), captured 2023-11-14T22:15:00\.000Z\n/,
    );
    assert.match(text, /\nsource +binlog\.000005:200 \(GTID 0-7-99\)\nlag +2\.6 KB, 58s\n/);
    assert.match(text, /\nparked +shop\.bad \(1 dead letters\); 1 dead letters of no table\n/);
    assert.match(
      text,
      /\n {2}shop\.bad +1 +7 +2 +3 +4 +2026-11-21 01:02:03\.000000 +UMBUS_BINLOG_TYPE since/,
    );
    assert.match(text, /\n {2}umbus\.shop\.dispatcher +shop\/0 +1 +2 +1\n/);
    assert.match(text, /\n {2}shop\.shop\.result +2 +1\b/);
  });

  it('says that the source is down without hiding what the log knows', async () => {
    const source = sourceAbsent(new UmbusError('UMBUS_SOURCE_UNREACHABLE', 'Connection refused.'));
    const text = statusText(await status({ source }), (_style, each) => each);
    assert.match(text, /source +not reachable: UMBUS_SOURCE_UNREACHABLE: Connection refused\./);
    assert.match(text, /binlog\.000003:557/);
  });

  it('shows full pulls that go on or failed lately, what waits for them, and coordination that is away', async () => {
    const plain = (_style: string, each: string): string => each;
    const text = statusText(await status(), plain);
    assert.match(text, /\n {2}shop\.orders +p-1 +paused +12\/40 +1,200,000 +51,000 rows\/s, 30 %\n/);
    assert.match(text, /\n {2}shop\.lines +p-2 +failed +UMBUS_PULL_CHANGED at 2026-11-21T00:01:00Z\n/);
    assert.match(
      text,
      /\n {2}shop\.orders: changes and heartbeats wait for the pull p-1 since 2023-11-14T22:13:20Z, 1,204 messages, 3 MB of at most /,
    );
    const none: PullsStatus = { known: true, open: [], failed: [] };
    assert.doesNotMatch(statusText(await status({ pulls: none, held: [] }), plain), /Full pulls/);
    const away = { known: false, code: 'UMBUS_COORDINATION_UNREACHABLE', message: 'Away.' } as const;
    assert.match(
      statusText(await status({ pulls: away }), plain),
      /Full pulls\n {2}not known: UMBUS_COORDINATION_UNREACHABLE: Away\./,
    );
  });

  it('is JSON for scripts, with offsets as numbers', async () => {
    const parsed = JSON.parse(jsonText(await status()));
    assert.equal(parsed.groups[0].lagRecords, 1);
    assert.equal(parsed.source.lagBytes, 443 + 2_000 + 200);
    assert.ok(!jsonText(await status()).includes('geheim-77'));
  });
});

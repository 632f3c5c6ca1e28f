import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isUmbusError } from '../../src/core/errors.ts';
import {
  type FaultyProxy,
  flipped,
  type PassingEvent,
  sealed,
  startFaultyProxy,
} from '../support/faulty-proxy.ts';
import { changesOf, inspectResult, publishedIn } from '../support/published.ts';
import { type RunningLine, startLine, type TestLineOptions } from '../support/running-line.ts';
import { requireServer, type Server, type ServerKindName, serverKinds } from '../support/servers.ts';
import { until } from '../support/until.ts';
import { assertEachRowOnce } from '../support/whole-line.ts';

const TOPIC = 'test.shop.result';
const HEARTBEAT_MS = 150;
/** Offsets in an event: its log position, its flags, the body behind its header. */
const LOG_POS_AT = 13;
const FLAGS_AT = 17;
const BODY_AT = 19;

interface Bench {
  readonly server: Server;
  readonly proxy: FaultyProxy;
  /** Codes with which the source was opened anew, null when its connection just ended. */
  readonly reopened: (string | null)[];
  /** `table code` of each parked record. */
  readonly parked: string[];
  start(options?: Partial<TestLineOptions>): Promise<RunningLine>;
}

/** A server, a proxy before it, and lines behind it that share one log. */
async function withProxy(
  t: TestContext,
  kind: ServerKindName,
  work: (bench: Bench) => Promise<void>,
): Promise<void> {
  await using server = await requireServer(t, kind);
  if (server === null) return;
  await using proxy = await startFaultyProxy(server);
  const dir = await mkdtemp(join(tmpdir(), 'umbus-bad-input-'));
  try {
    await server.query('CREATE DATABASE shop');
    await server.query('CREATE TABLE shop.good (n INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(40))');
    await server.query('CREATE TABLE shop.bad (n INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(40), w INT)');
    const reopened: (string | null)[] = [];
    const parked: string[] = [];
    const events: TestLineOptions['events'] = {
      reconnecting: ({ code }) => reopened.push(code),
      parked: ({ key, code }) => parked.push(`${key} ${code}`),
    };
    const source = { port: proxy.port, heartbeatMs: HEARTBEAT_MS };
    await work({
      server,
      proxy,
      reopened,
      parked,
      start: options => startLine({ server, schemas: ['shop'], dir, events, source, ...options }),
    });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function addRows(server: Server, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    await server.query('BEGIN');
    await server.query(`INSERT INTO shop.good (v) VALUES ('good ${n}'), ('and again')`);
    await server.query(`INSERT INTO shop.bad (v, w) VALUES ('bad ${n}', ${n})`);
    await server.query('COMMIT');
  }
}

const isRowsOf =
  (table: string) =>
  (event: PassingEvent): boolean =>
    event.isRows && event.table === table;

/** Spoils the `nth` event that `wanted` takes, once. */
function once(
  wanted: (event: PassingEvent) => boolean,
  nth: number,
  spoil: (event: PassingEvent) => ReturnType<NonNullable<FaultyProxy['fate']>>,
): NonNullable<FaultyProxy['fate']> {
  let seen = 0;
  return event => {
    if (!wanted(event)) return 'pass';
    seen += 1;
    return seen === nth ? spoil(event) : 'pass';
  };
}

const transientFaults: readonly {
  readonly name: string;
  readonly code: string | null;
  readonly spoil: (event: PassingEvent) => ReturnType<NonNullable<FaultyProxy['fate']>>;
}[] = [
  {
    name: 'an event that does not match its checksum',
    code: 'UMBUS_BINLOG_CHECKSUM',
    spoil: ({ bytes }) => ({ instead: flipped(bytes, BODY_AT + 12) }),
  },
  {
    name: 'a packet that ends before its event does',
    code: 'UMBUS_BINLOG_TRUNCATED',
    spoil: ({ bytes }) => ({ instead: bytes.subarray(0, bytes.length - 7) }),
  },
  {
    name: 'an event too short to be one',
    code: 'UMBUS_BINLOG_TRUNCATED',
    spoil: ({ bytes }) => ({ instead: bytes.subarray(0, 11) }),
  },
  {
    name: 'a row event of a table id that no table map has',
    code: 'UMBUS_SOURCE_PROTOCOL',
    spoil: ({ bytes }) => ({ instead: sealed(flipped(bytes, BODY_AT + 3)) }),
  },
  {
    name: 'a row event that says it lies further on',
    code: 'UMBUS_SOURCE_PROTOCOL',
    spoil: ({ bytes }) => ({ instead: sealed(flipped(bytes, LOG_POS_AT + 2, 0x04)) }),
  },
  {
    name: 'a row event that says it lies further back',
    code: 'UMBUS_SOURCE_PROTOCOL',
    spoil: ({ bytes }) => ({ instead: sealed(flipped(bytes, LOG_POS_AT + 3)) }),
  },
  { name: 'a connection cut within an event', code: null, spoil: () => 'cut' },
  { name: 'a connection that falls silent', code: null, spoil: () => 'stall' },
];

for (const kind of serverKinds) {
  test(`on ${kind} faults that pass are met by reading again, and nothing is lost or doubled`, async t => {
    await withProxy(t, kind, async ({ server, proxy, reopened, start }) => {
      await using line = await start();
      for (const { name, code, spoil } of transientFaults) {
        reopened.length = 0;
        const dumps = proxy.dumps;
        proxy.fate = once(isRowsOf('shop.good'), 3, spoil);
        await addRows(server, 20);
        await until(`a new dump after ${name}`, () => proxy.dumps > dumps && reopened.length > 0);
        await assertEachRowOnce(line, 'shop');
        assert.deepEqual(reopened, [code], name);
      }
    });
  });

  test(`on ${kind} a line whose connection is cut at every few events still gets through`, async t => {
    await withProxy(t, kind, async ({ server, proxy, reopened, start }) => {
      await addRows(server, 60);
      // Not within a transaction's first event: progress must be possible between two cuts.
      let passed = 0;
      proxy.fate = ({ isRows }) => {
        if (isRows) passed += 1;
        return passed % 23 === 22 && isRows ? 'cut' : 'pass';
      };
      await using line = await start();
      await assertEachRowOnce(line, 'shop');
      assert.ok(reopened.length >= 4, `${reopened.length} connections were cut`);
    });
  });

  test(`on ${kind} an event that stays damaged halts the line at its place, and a restored source lets it go on`, async t => {
    await withProxy(t, kind, async ({ server, proxy, reopened, start }) => {
      await addRows(server, 5);
      let seen = 0;
      let damaged = -1;
      proxy.fate = event => {
        if (!isRowsOf('shop.bad')(event)) return 'pass';
        seen += 1;
        const end = event.bytes.readUInt32LE(LOG_POS_AT);
        if (seen === 4) damaged = end;
        return end === damaged ? { instead: flipped(event.bytes, BODY_AT + 12) } : 'pass';
      };
      {
        await using line = await start();
        const error = await line.halted();
        assert.ok(isUmbusError(error, 'UMBUS_BINLOG_CHECKSUM'), String(error));
        assert.match(
          error.message,
          /same error 5 times at the same place .* Read so far: binlog\.000001:\d+/,
        );
        assert.deepEqual(reopened, Array(4).fill('UMBUS_BINLOG_CHECKSUM'));
        await until('what came before to be published', async () => {
          const [good, bad] = await Promise.all(
            ['good', 'bad'].map(table => changesOf(line.log, TOPIC, table, 'n')),
          );
          return good?.length === 8 && bad?.length === 3;
        });
      }
      proxy.fate = null;
      await using line = await start();
      await assertEachRowOnce(line, 'shop');
    });
  });

  test(`on ${kind} an event of an unknown type halts the line, unless the server marks it as ignorable`, async t => {
    await withProxy(t, kind, async ({ server, proxy, start }) => {
      const unknown = (flags: number) => (event: PassingEvent) => {
        const bytes = Buffer.from(event.bytes);
        bytes[4] = 99;
        bytes.writeUInt16LE(bytes.readUInt16LE(FLAGS_AT) | flags, FLAGS_AT);
        return { instead: sealed(bytes) };
      };
      await using line = await start();
      proxy.fate = once(isRowsOf('shop.bad'), 2, unknown(0x80));
      await addRows(server, 3);
      await line.drained();
      assert.deepEqual(await changesOf(line.log, TOPIC, 'bad', 'n'), ['i 1', 'i 3']);
      proxy.fate = once(isRowsOf('shop.bad'), 2, unknown(0));
      await addRows(server, 3);
      const error = await line.halted();
      assert.ok(isUmbusError(error, 'UMBUS_BINLOG_EVENT'), String(error));
      assert.match(error.message, /Event type 99 at binlog\.000001:\d+ is not read/);
    });
  });

  test(`on ${kind} a table map that does not fit its rows parks its table, and the others go on`, async t => {
    await withProxy(t, kind, async ({ server, proxy, parked, start }) => {
      let narrow: Buffer | null = null;
      proxy.fate = ({ type, table, bytes }) => {
        if (type !== 19) return 'pass';
        if (table === 'shop.good') narrow = bytes;
        if (table !== 'shop.bad' || narrow === null) return 'pass';
        // The columns of shop.good under the id and the name of shop.bad.
        const [before, behind] = [narrow.indexOf('good') - 1, narrow.indexOf('good') + 5];
        const name = Buffer.from('\x03bad\0', 'latin1');
        const body = Buffer.concat([narrow.subarray(0, before), name, narrow.subarray(behind)]);
        bytes.copy(body, 0, 0, 9);
        body.writeUInt32LE(body.length, 9);
        bytes.copy(body, 13, 13, 25);
        return { instead: sealed(body) };
      };
      await using line = await start();
      await addRows(server, 5);
      await line.drained();
      assert.equal((await changesOf(line.log, TOPIC, 'good', 'n')).length, 10);
      assert.deepEqual(await changesOf(line.log, TOPIC, 'bad', 'n'), []);
      assert.deepEqual([...new Set(parked)], ['shop.bad UMBUS_BINLOG_TABLE_MAP']);
    });
  });

  test(`on ${kind} a byte changed in a row event under a right checksum parks that table or gives another value, nothing else`, async t => {
    await withProxy(t, kind, async ({ server, proxy, parked, start }) => {
      const columns =
        'n INT PRIMARY KEY, b BIT(9), d DECIMAL(9, 3), e ENUM("x", "y"), t DATETIME(3), s SET("p", "q"), v TEXT';
      const values = `(1, b'101', 12.345, 'y', '2024-02-29 12:34:56.789', 'p,q', 'some text') `;
      await server.query(`CREATE TABLE shop.proto (${columns})`);
      const tables = Array.from({ length: 70 }, (_, n) => `t${n}`);
      for (const table of tables) await server.query(`CREATE TABLE shop.${table} LIKE shop.proto`);
      // Each table has another byte of its event changed, from the flags behind the table id on.
      proxy.fate = event => {
        const n = Number(/^shop\.t(\d+)$/.exec(event.table)?.[1] ?? Number.NaN);
        if (!event.isRows || Number.isNaN(n) || BODY_AT + 6 + n >= event.bytes.length - 4) return 'pass';
        return { instead: sealed(flipped(event.bytes, BODY_AT + 6 + n)) };
      };
      await using line = await start({ partitions: 1 });
      for (const table of tables) {
        await server.query(`INSERT INTO shop.${table} VALUES ${values}`);
        await server.query(`INSERT INTO shop.good (v) VALUES ('after ${table}')`);
      }
      await line.drained();
      assert.equal((await changesOf(line.log, TOPIC, 'good', 'n')).length, tables.length);
      const { violations } = await inspectResult(line.log, TOPIC);
      assert.deepEqual(violations, []);
      const parkedTables = new Set(parked.map(text => text.split(' ')[0]));
      const published = new Set((await publishedIn(line.log, TOPIC)).map(({ table }) => `shop.${table}`));
      for (const table of tables) {
        const name = `shop.${table}`;
        assert.ok(parkedTables.has(name) !== published.has(name), `${name} is either parked or published`);
      }
      assert.ok(parkedTables.size > 10, `${parkedTables.size} tables are parked`);
      for (const text of parked) assert.match(text, / UMBUS_(BINLOG_\w+|SOURCE_SETTING)$/);
    });
  });
}

import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';
import { ColumnType as T } from '../../../src/binlog/column-type.ts';
import type { RawRun } from '../../../src/change/raw-run.ts';
import { readUms } from '../../../src/consumer/index.ts';
import { isUmbusError } from '../../../src/core/errors.ts';
import { replayParked } from '../../../src/stages/append.ts';
import { BinlogBuilder } from '../../support/binlog-builder.ts';
import { image, le, sized } from '../rows/rows-fixture.ts';
import { AppendDriver, insert, row, runOf, storyOf, table } from './append-fixture.ts';

const orders = table('orders');
const users = table('users', 8);
const places = table('places', 9, {
  columns: [
    { name: 'id', type: T.LONG },
    { name: 'ums_id_', type: T.BLOB, meta: 4 },
  ],
});
/** A row that ends inside its text. */
const bad = image(le(2, 4), Buffer.from([9]));

/** Good rows, a bad event, and good rows of two tables. */
function mixed(): RawRun {
  const builder = new BinlogBuilder({ file: 'bin.000009' }).begin();
  insert(builder, orders, row(1, 'a'));
  insert(builder, users, row(10, 'u'));
  insert(builder, orders, row(100, 'whole event'), bad);
  insert(builder, users, row(11, 'v'));
  builder.gtid();
  builder.query('TRUNCATE TABLE orders');
  insert(builder, orders, row(3, 'c'));
  return runOf(builder);
}

describe('a table that cannot be decoded', () => {
  test('is parked from the bad event on, while its rows before and the other tables go on', () => {
    const driver = new AppendDriver().run(mixed());
    assert.deepEqual(driver.story, [
      ['orders.0', ['i', 1, 'a']],
      ['users.0', ['i', 10, 'u'], ['i', 11, 'v']],
    ]);
    assert.deepEqual(
      driver.parked.map(({ key }) => key),
      ['shop.orders'],
    );
    const { parked, ...state } = driver.states.get('shop.orders') ?? assert.fail();
    assert.equal(parked?.code, 'UMBUS_BINLOG_ROW');
    assert.equal(parked?.events, 3);
    assert.equal(parked?.since, '2023-11-14 22:13:20.000000');
    assert.deepEqual([state.inserts, state.version], [1, 0]);
    const error = driver.parked[0]?.error;
    assert.ok(isUmbusError(error, 'UMBUS_BINLOG_ROW'));
    assert.match(error.message, /shop\.orders ends inside column name.*row event at bin\.000009:\d+/);
  });

  test('is parked as a run of its own events, statements and transaction starts', () => {
    const run = mixed();
    const parked = new AppendDriver().run(run).parked[0]?.run ?? assert.fail();
    assert.deepEqual(
      parked.tables.map(each => each.table),
      ['orders', ''],
    );
    assert.deepEqual(
      parked.spans.filter((_, i) => i % 2 === 0),
      [-1, 0, -1, 1, -1, 0],
    );
    assert.equal(
      parked.spans.filter((_, i) => i % 2 === 1).reduce((a, b) => a + b),
      parked.events.length,
    );
    assert.deepEqual([parked.file, parked.epoch, parked.next], [run.file, run.epoch, run.next]);
    assert.ok(parked.position > run.position);
  });

  test('is parked at once in later records, while the others go on', () => {
    const driver = new AppendDriver().run(mixed());
    const builder = new BinlogBuilder({ file: 'bin.000009', position: 90_000 }).begin();
    insert(builder, orders, row(4, 'd'));
    insert(builder, users, row(12, 'w'));
    driver.run(runOf(builder));
    assert.deepEqual(driver.story.at(-1), ['users.0', ['i', 12, 'w']]);
    assert.deepEqual(
      driver.parked.map(({ key }) => key),
      ['shop.orders', 'shop.orders'],
    );
    assert.equal(driver.states.get('shop.orders')?.parked?.events, 4);
    assert.equal(driver.states.get('shop.orders')?.inserts, 1);
  });

  test('for want of a decoder is parked from its first event, and nothing is published', () => {
    const builder = new BinlogBuilder().begin();
    insert(builder, places, image(le(1, 4), sized('xxxx', 4)));
    insert(builder, orders, row(1, 'a'));
    const driver = new AppendDriver().run(runOf(builder));
    assert.deepEqual(driver.story, [['orders.0', ['i', 1, 'a']]]);
    const { parked, fingerprint } = driver.states.get('shop.places') ?? assert.fail();
    assert.deepEqual([parked?.code, parked?.events, fingerprint], ['UMBUS_BINLOG_TYPE', 1, '']);
  });

  test('without a key is parked when columns are left out of its images', () => {
    const { primaryKey: _, ...keyless } = orders;
    const builder = new BinlogBuilder().begin();
    insert(builder, keyless, row(1, 'a'));
    const run = runOf(builder);
    const at = run.events.lastIndexOf(row(1, 'a')) - 1;
    run.events.writeUInt8(run.events.readUInt8(at) & 0xfe, at);
    const driver = new AppendDriver().run(run);
    assert.equal(driver.states.get('shop.orders')?.parked?.code, 'UMBUS_SOURCE_SETTING');
    assert.equal(driver.emitted.length, 0);
  });

  test('is parked when its events lie behind the end of their run, or have a damaged size', () => {
    const build = () => {
      const builder = new BinlogBuilder().begin();
      insert(builder, orders, row(1, 'a'));
      return runOf(builder);
    };
    const early = build();
    const far = new AppendDriver().run({ ...early, next: early.position + 10 });
    assert.equal(far.states.get('shop.orders')?.parked?.code, 'UMBUS_BINLOG_EVENT');
    const damaged = build();
    damaged.events.writeUInt32LE(7, (damaged.spans[1] ?? 0) + 9);
    const driver = new AppendDriver().run(damaged);
    assert.equal(driver.states.get('shop.orders')?.parked?.code, 'UMBUS_BINLOG_TRUNCATED');
    assert.equal(driver.parked.length, 1);
  });
});

describe('a replay', () => {
  const name = { schema: 'shop', table: 'orders' };

  /** The run as it would be after the fault was mended in the decoder: here the bytes are mended. */
  function mended(run: RawRun): RawRun {
    const events = Buffer.from(run.events);
    const at = events.indexOf(bad);
    if (at >= 0) events[at + bad.length - 1] = 0;
    return { ...run, events };
  }

  test('publishes what was parked with the ids it would have had, and unparks the table', () => {
    const whole = new AppendDriver().run(mended(mixed()));
    const driver = new AppendDriver().run(mixed());
    const state = driver.before('shop.orders');
    const replayed = replayParked(
      { ds: 'web' },
      name,
      state,
      driver.parked.map(({ run }) => mended(run)),
      3,
    );
    assert.equal(replayed.state.parked, null);
    assert.deepEqual(replayed.parked, []);
    const tuples = (messages: ReturnType<typeof readUms>[]): unknown[] =>
      messages
        .filter(({ schema }) => schema.namespace.includes('orders'))
        .flatMap(({ schema, payload }) => payload.map(({ tuple }) => [schema.namespace, tuple]));
    const messages = [
      ...driver.messages,
      ...replayed.outputs.filter(({ notice }) => notice !== true).map(({ value }) => readUms(value)),
    ];
    assert.deepEqual(tuples(messages), tuples(whole.messages));
    // Messages are cut otherwise, and each has a head.
    const { messages: messageCount, bytes, ...after } = replayed.state;
    const { messages: _, bytes: fewer = 0, ...expected } = whole.states.get('shop.orders') ?? assert.fail();
    assert.deepEqual(after, expected);
    assert.ok(messageCount > 1 && (bytes ?? 0) > fewer);
  });

  test('that fails again parks what is left, and publishes what came before', () => {
    const driver = new AppendDriver().run(mixed());
    const state = driver.before('shop.orders');
    const good = new BinlogBuilder({ file: 'bin.000009', position: 90_000 }).begin();
    insert(good, orders, row(4, 'd'));
    const run = runOf(good);
    const runs = [run, ...driver.parked.map(each => each.run), run];
    const again = replayParked({ ds: 'web' }, name, state, runs, 3);
    assert.deepEqual(
      again.outputs.filter(({ notice }) => notice !== true).map(({ value }) => storyOf(readUms(value))),
      [['orders.0', ['i', 4, 'd']]],
    );
    assert.equal(again.parked.length, 2);
    assert.equal(again.state.parked?.code, 'UMBUS_BINLOG_ROW');
    assert.equal(again.state.parked?.events, 4);
  });

  test('takes the events of its table only', () => {
    const builder = new BinlogBuilder().begin();
    insert(builder, orders, row(1, 'a'));
    insert(builder, users, row(2, 'b'));
    const driver = new AppendDriver().run(mixed());
    const state = driver.before('shop.orders');
    const { outputs } = replayParked({ ds: 'web' }, name, state, [runOf(builder)], 3);
    assert.deepEqual(
      outputs.filter(({ notice }) => notice !== true).map(({ value }) => storyOf(readUms(value))),
      [['orders.0', ['i', 1, 'a']]],
    );
  });
});

import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, it } from 'node:test';
import type { MemoryLog } from '../../../src/adapters/memory/memory-log.ts';
import { encodeRawRun, type RawRun } from '../../../src/change/raw-run.ts';
import { resolvePlan, resolveTable } from '../../../src/cli/parked/resolve.ts';
import { planText, resolveText } from '../../../src/cli/schema/resolve-text.ts';
import type { TableColumns } from '../../../src/columns/table-columns.ts';
import { readUms } from '../../../src/consumer/index.ts';
import { tablesStore } from '../../../src/stages/append.ts';
import { NEW_TABLE, type ParkedState } from '../../../src/stages/append-state.ts';
import { columnsOf, rowsIn, unknownRun } from '../stages/given-fixture.ts';
import { deadHeaders, filledLog, outgoing, shopLine } from './line-log.ts';

const never = new AbortController().signal;
const changelog = 'umbus.shop.appender-tables-changelog';
const line = shopLine();
const xy = columnsOf('id INT PRIMARY KEY, x INT, y INT');

async function parkedLog(
  runs: readonly RawRun[],
  code: ParkedState['code'] = 'UMBUS_BINLOG_COLUMNS',
): Promise<MemoryLog> {
  const parked = { since: '', code, message: 'The message.', events: runs.length };
  return await filledLog([
    ...runs.map(run => ({
      ...outgoing('shop_dead', 0, 'shop.orders', encodeRawRun(run), deadHeaders(code)),
    })),
    outgoing(changelog, 1, 'shop.orders', Buffer.from(JSON.stringify({ ...NEW_TABLE, parked }))),
  ]);
}

const plan = (log: MemoryLog) => resolvePlan(log, line, 'shop.orders', null, never);

async function resolve(log: MemoryLog, columns: TableColumns) {
  return await resolveTable({ log, around: {}, signal: never }, line, await plan(log), columns);
}

function stateIn(log: MemoryLog) {
  const value = log.records({ topic: changelog, partition: 1 }).at(-1)?.value ?? assert.fail('no state');
  return tablesStore.value.decode(value);
}

function published(log: MemoryLog): unknown[] {
  const records = log.records({ topic: 'shop.shop.result', partition: 1 });
  return rowsIn(records.map(({ value }) => readUms(value ?? assert.fail('no value'))));
}

describe('a table whose columns are not known', () => {
  it('is replayed with columns that fit, which its state keeps', async () => {
    const log = await parkedLog([
      unknownRun('bin.000001:4', 4, [1, 10, 11]),
      unknownRun('bin.000001:4', 900, [2, 20, 21], 'another reason'),
    ]);
    const report = await resolve(log, xy);
    assert.equal(
      resolveText(report),
      'shop.orders: replayed 2 dead letters in 3 messages.\n',
      'with the notice of its first columns',
    );
    assert.deepEqual(published(log), [
      ['id,x,y', [1, 10, 11]],
      ['id,x,y', [2, 20, 21]],
    ]);
    const { parked, given, inserts } = stateIn(log);
    assert.deepEqual([parked, inserts], [null, 2]);
    assert.deepEqual(given, [{ epoch: 1, since: 'bin.000001:4', columns: xy }]);
  });

  it('keeps columns of each change in order, and is replayed with the last', async () => {
    const log = await parkedLog([
      unknownRun('bin.000001:4', 4, [1, 10, 11]),
      unknownRun('bin.000001:800', 900, [2, 20, 21, 22]),
    ]);
    const before = await plan(log);
    assert.deepEqual(
      [before.group.since, before.left.map(({ since }) => since)],
      ['bin.000001:4', ['bin.000001:800']],
    );
    const kept = await resolve(log, xy);
    assert.match(
      resolveText(kept),
      /from bin\.000001:4 on are kept\. It stays parked .*: bin\.000001:800\.\n$/,
    );
    assert.deepEqual(published(log), []);
    assert.match(stateIn(log).parked?.message ?? '', /from bin\.000001:800 on is not known/);
    assert.equal(stateIn(log).parked?.events, 2);
    const stale = resolveTable({ log, around: {}, signal: never }, line, before, xy);
    await assert.rejects(stale, {
      code: 'UMBUS_COLUMNS_REFUSED',
      message: /bin\.000001:800 .* first by now/,
    });
    const done = await resolve(log, columnsOf('id INT PRIMARY KEY, x INT, y INT, z INT'));
    assert.equal(done.replay?.problem, null);
    assert.deepEqual(published(log), [
      ['id,x,y', [1, 10, 11]],
      ['id,x,y,z', [2, 20, 21, 22]],
    ]);
    assert.equal(stateIn(log).parked, null);
    await assert.rejects(plan(log), { code: 'UMBUS_USAGE' });
  });

  for (const [definition, problem] of [
    ['id INT PRIMARY KEY, x INT', /2 columns, and the binlog has 3/],
    ['id INT PRIMARY KEY, x BIGINT, y INT', /column 2, x, is bigint/],
    ['id INT PRIMARY KEY, x INT, y INT NOT NULL', /column 3, y, is NOT NULL/],
  ] as const) {
    it(`is left as it is by (${definition}), which does not fit`, async () => {
      const log = await parkedLog([unknownRun('bin.000001:4', 4, [1, 10, 11])]);
      await assert.rejects(resolve(log, columnsOf(definition)), {
        code: 'UMBUS_COLUMNS_REFUSED',
        message: problem,
      });
      assert.equal(log.records({ topic: changelog, partition: 1 }).length, 1);
      assert.deepEqual(published(log), []);
    });
  }

  it('is checked against every table map of the same place', async () => {
    const log = await parkedLog([
      unknownRun('bin.000001:4', 4, [1, 10, 11]),
      unknownRun('bin.000001:4', 900, [2, 20]),
    ]);
    await assert.rejects(resolve(log, xy), { code: 'UMBUS_COLUMNS_REFUSED', message: /binlog has 2/ });
  });

  it('that is parked for another reason is refused with the remedy for that', async () => {
    const log = await parkedLog([unknownRun('bin.000001:4', 4, [1, 10, 11])], 'UMBUS_BINLOG_NO_METADATA');
    await assert.rejects(plan(log), {
      code: 'UMBUS_COLUMNS_REFUSED',
      message: /another reason .*UMBUS_BINLOG_NO_METADATA: The message\. SET GLOBAL/,
    });
  });

  it('is shown with its columns beside the types of the binlog', async () => {
    const log = await parkedLog([unknownRun('bin.000001:4', 4, [1, 10, 11])]);
    const text = planText(await plan(log), xy, 'the source has them now');
    assert.match(
      text,
      /^shop\.orders from bin\.000001:4 on: a reason\.\nIts columns as the source has them now/,
    );
    assert.match(
      text,
      /^1 +id +int not null +LONG not null\n2 +x +int +LONG\n3 +y +int +LONG\nprimary key: \(id\)$/m,
    );
  });
});

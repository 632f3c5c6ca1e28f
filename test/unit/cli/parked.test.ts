import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, it } from 'node:test';
import { encodeRawRun } from '../../../src/change/raw-run.ts';
import { replayTables } from '../../../src/cli/parked/replay.ts';
import { type LetterPlace, letterPlaces, waitingLetters } from '../../../src/cli/parked/waiting-letters.ts';
import type { Line } from '../../../src/config/line.ts';
import { readUms, rows } from '../../../src/consumer/index.ts';
import { NEW_TABLE } from '../../../src/stages/append-state.ts';
import { BinlogBuilder } from '../../support/binlog-builder.ts';
import { placeOf } from '../consumer/placed-line.ts';
import { insert, row, runOf, table } from '../stages/append-fixture.ts';
import { deadHeaders, filledLog, outgoing, rawRun, shopLine } from './line-log.ts';

const never = new AbortController().signal;
const changelog = 'umbus.shop.appender-tables-changelog';

function letter(table: string, offset: number, events: number): LetterPlace {
  return { table, partition: 0, offset: BigInt(offset), events };
}

function dead(table: string, events: number, topology = 'appender') {
  const headers = { ...deadHeaders('UMBUS_BINLOG_TYPE'), 'dead.topology': topology };
  return outgoing('shop_dead', 0, table, encodeRawRun(rawRun(100, events)), headers);
}

function parkedState(events: number): Buffer {
  const parked = { since: '', code: 'UMBUS_BINLOG_TYPE', message: 'No such type.', events };
  return Buffer.from(JSON.stringify({ ...NEW_TABLE, parked }));
}

describe('waiting letters', () => {
  it('are the newest of each parked table that hold the events parked since then', () => {
    const letters = [
      letter('a', 0, 2),
      letter('b', 1, 1),
      letter('a', 2, 3),
      letter('b', 3, 1),
      letter('a', 4, 1),
      letter('c', 5, 1),
    ];
    const waiting = waitingLetters(
      letters,
      new Map([
        ['a', 4],
        ['b', 1],
        ['c', 0],
      ]),
    );
    assert.deepEqual(
      waiting.map(({ table, offset }) => [table, offset]),
      [
        ['a', 2n],
        ['b', 3n],
        ['a', 4n],
      ],
    );
  });

  it('count the events of a table in its runs, without transaction starts, and nothing of other topologies', async () => {
    const run = rawRun(100, 3, { spans: [-1, 19, 0, 38] });
    const log = await filledLog([
      { ...dead('shop.orders', 1), value: encodeRawRun(run) },
      dead('shop.orders', 5, 'dispatcher'),
    ]);
    assert.deepEqual(
      (await letterPlaces(log, 'shop', null, never)).map(each => each.events),
      [2, 0],
    );
  });
});

describe('a replay', () => {
  it('is refused while letters that wait are missing, and writes nothing', async () => {
    const log = await filledLog([
      dead('shop.orders', 2),
      outgoing(changelog, 1, 'shop.orders', parkedState(3)),
    ]);
    await assert.rejects(replayTables(log, shopLine(), null, never), { code: 'UMBUS_LOG_OFFSET_GONE' });
    assert.equal(log.records({ topic: changelog, partition: 1 }).length, 1);
  });

  it('of a table that still cannot be decoded says why and writes nothing', async () => {
    // The runs of the fixture have an empty table map.
    const log = await filledLog([
      dead('shop.orders', 2),
      outgoing(changelog, 1, 'shop.orders', parkedState(2)),
    ]);
    const [report] = await replayTables(log, shopLine(), 'shop.orders', never);
    assert.deepEqual([report?.table, report?.letters, report?.messages], ['shop.orders', 1, 0]);
    assert.match(report?.problem?.code ?? '', /^UMBUS_BINLOG_/);
    assert.equal(log.records({ topic: changelog, partition: 1 }).length, 1);
    assert.equal(log.records({ topic: 'shop.shop.result', partition: 1 }).length, 0);
  });

  it('writes rows that are placed by key to their partitions, each in order', async () => {
    const builder = new BinlogBuilder().begin();
    const ids = Array.from({ length: 12 }, (_, id) => id);
    for (const id of ids) insert(builder, table('orders'), row(id, 'a'));
    const run = runOf(builder);
    const letter = { ...dead('shop.orders', 0), value: encodeRawRun(run) };
    const log = await filledLog([
      { ...letter, headers: { ...letter.headers, 'in.seq': Buffer.alloc(20, 1) } },
      outgoing(changelog, 1, 'shop.orders', parkedState(ids.length)),
    ]);
    const line = shopLine();
    const schemas = Object.entries(line.schemas).map(([name, schema]) => [
      name,
      { ...schema, result: { ...schema.result, placeBy: 'primary-key' as const } },
    ]);
    const placed: Line = {
      ...line,
      schemas: Object.fromEntries(schemas),
      appender: { ...line.appender, maxRows: 2 },
    };
    const [report] = await replayTables(log, placed, 'shop.orders', never);
    assert.deepEqual([report?.problem, report?.letters], [null, 1]);
    const seen: number[] = [];
    for (const partition of [0, 1]) {
      const records = log.records({ topic: 'shop.shop.result', partition });
      assert.ok(records.length > 1);
      const seqs = records.map(({ headers }) => Buffer.from(headers['seq'] ?? []));
      assert.deepEqual(seqs, seqs.toSorted(Buffer.compare));
      assert.equal(new Set(seqs.map(String)).size, records.length);
      for (const { value } of records) {
        for (const { values } of rows(readUms(value ?? new Uint8Array()))) {
          assert.equal(partition, placeOf([values['id'] ?? null], 2));
          seen.push(Number(values['id']));
        }
      }
    }
    assert.deepEqual(
      seen.sort((a, b) => a - b),
      ids,
    );
  });

  it('of a table that is not parked is refused with the names of those that are', async () => {
    const log = await filledLog([outgoing(changelog, 1, 'shop.bad', parkedState(1))]);
    await assert.rejects(replayTables(log, shopLine(), 'shop.orders', never), {
      code: 'UMBUS_USAGE',
      message: 'The table shop.orders is not parked. Parked tables: shop.bad.',
    });
  });

  it('has nothing to do where nothing is parked', async () => {
    assert.deepEqual(await replayTables(await filledLog([]), shopLine(), null, never), []);
  });
});

import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { deflateSync, zstdCompressSync } from 'node:zlib';
import { EventType } from '../../../src/binlog/event-type.ts';
import type { RawRun } from '../../../src/change/raw-run.ts';
import { LIFT } from '../../../src/stages/extract-space.ts';
import { BinlogBuilder, lenenc, tableMapBody, transaction } from '../../support/binlog-builder.ts';
import { ExtractDriver } from '../../support/extract-driver.ts';
import { AppendDriver, row, table } from './append-fixture.ts';

const orders = table('orders');

/** An event without checksum and position, as it lies in a compressed transaction. */
function inner(type: number, body: Uint8Array): Buffer {
  const header = Buffer.alloc(19);
  header.writeUInt8(type, 4);
  header.writeUInt32LE(19 + body.length, 9);
  return Buffer.concat([header, body]);
}

/** What stands before the rows of an insert of such a table. */
const ROWS_HEAD = Buffer.from([7, 0, 0, 0, 0, 0, 1, 0, 2, 0, 2, 3]);

/** A compressed transaction with inserts, `perEvent` rows in each event. */
function compressed(builder: BinlogBuilder, rows: readonly Buffer[], perEvent: number): void {
  const events = [inner(EventType.TABLE_MAP, tableMapBody(orders))];
  for (let at = 0; at < rows.length; at += perEvent) {
    events.push(inner(EventType.WRITE_ROWS, Buffer.concat([ROWS_HEAD, ...rows.slice(at, at + perEvent)])));
  }
  events.push(inner(EventType.XID, Buffer.alloc(8)));
  const packed = zstdCompressSync(Buffer.concat(events));
  builder.gtid();
  const size = lenenc(packed.length);
  const fields = Buffer.concat([Buffer.from([2, 1, 0, 1, size.length]), size, Buffer.from([0])]);
  builder.event(EventType.TRANSACTION_PAYLOAD, Buffer.concat([fields, packed]));
}

const many = (count: number, id = 1): Buffer[] => Array.from({ length: count }, () => row(id, 'same'));

function idsOf(runs: readonly RawRun[]): bigint[] {
  const driver = new AppendDriver();
  for (const run of runs) driver.run(run);
  assert.equal(driver.parked.length, 0);
  return driver.messages.flatMap(({ payload }) => payload.map(({ tuple }) => BigInt(String(tuple[0]))));
}

const grow = (ids: readonly bigint[]): boolean => ids.every((id, i) => i === 0 || id > (ids[i - 1] ?? 0n));

test('rows of a compressed transaction stand from where it stands on, each with an id of its own', () => {
  const before = new BinlogBuilder().begin();
  transaction(before, orders, row(1, 'a'));
  before.gtid();
  const at = before.position;
  const other = new BinlogBuilder().begin();
  transaction(other, orders, row(1, 'a'));
  compressed(other, [row(2, 'b'), row(3, 'c'), row(4, 'd')], 2);
  transaction(other, orders, row(5, 'e'));
  const runs = new ExtractDriver().open().bytes(other.packets()).commit().runs;
  const ids = idsOf(runs);
  assert.equal(ids.length, 5);
  assert.ok(grow(ids));
  assert.deepEqual(
    ids.slice(1, 4).map(id => Number(id % 10n ** 13n) - at),
    [0, 1, 2],
  );
  assert.equal(runs.at(-1)?.resume.position, other.position);
  assert.equal(runs.at(-1)?.next, other.position);
});

test('more rows than bytes lift what follows in the file, and nothing after it', () => {
  const builder = new BinlogBuilder({ file: 'bin.000003' }).begin();
  compressed(builder, many(5000), 1000);
  transaction(builder, orders, row(5, 'e'));
  const lifted = builder.position;
  compressed(builder, many(4000), 1000);
  transaction(builder, orders, row(6, 'f'));
  const end = builder.position;
  builder.rotate('bin.000004');
  builder.begin();
  transaction(builder, orders, row(7, 'g'));
  const { runs } = new ExtractDriver().open().bytes(builder.packets()).commit();
  const ids = idsOf(runs);
  assert.equal(ids.length, 9003);
  assert.ok(grow(ids));
  const place = (id: bigint | undefined): number => Number((id ?? 0n) % 10n ** 13n);
  assert.ok(place(ids[5000]) > LIFT && place(ids[5000]) < LIFT + lifted);
  assert.ok(place(ids[9001]) > 2 * LIFT && place(ids[9001]) < 2 * LIFT + end);
  assert.ok(place(ids[9002]) < builder.position);
  assert.equal(runs.at(-2)?.next, 2 * LIFT + end);
  assert.equal(runs.at(-2)?.resume.position, end);
});

test('a line goes on within and after compressed transactions with the same ids, wherever it was cut', () => {
  const builder = new BinlogBuilder().begin();
  transaction(builder, orders, row(1, 'a'));
  compressed(builder, many(900), 90);
  transaction(builder, orders, row(2, 'b'));
  compressed(builder, [row(3, 'c'), row(4, 'd')], 1);
  transaction(builder, orders, row(5, 'e'));
  const whole = new ExtractDriver({ runBytes: 1200 }).open().bytes(builder.packets()).commit().emitted;
  const expected = idsOf(whole.map(({ run }) => run));
  assert.ok(whole.length > 6 && expected.length === 905 && grow(expected));
  const offsets = new Map<number, number>();
  let offset = 4;
  for (const [i, event] of builder.events.entries()) {
    if (i === 0) continue;
    offsets.set(offset, i);
    offset += event.length;
  }
  for (let cut = 1; cut < whole.length; cut++) {
    const tail = whole[cut - 1]?.run ?? assert.fail();
    const { position, gtid } = tail.resume;
    const again = new BinlogBuilder({ position }).begin();
    const from = offsets.get(position);
    if (from !== undefined) again.events.push(...builder.events.slice(from));
    const driver = new ExtractDriver({ runBytes: 1200 }).open({
      from: { file: tail.file, position, gtid },
      skipBefore: { file: tail.file, position: tail.next },
    });
    driver.bytes(again.packets()).commit();
    const ids = idsOf([...whole.slice(0, cut).map(({ run }) => run), ...driver.runs]);
    assert.deepEqual(ids, expected, `cut after run ${cut}`);
  }
});

test('a compressed event of MariaDB with more rows than bytes does not reach into the events behind it', () => {
  const builder = new BinlogBuilder({ flavor: 'mariadb' }).begin();
  builder.gtid();
  builder.tableMap(orders);
  const rows = Buffer.concat(many(600));
  const length = Buffer.alloc(2);
  length.writeUInt16BE(rows.length);
  const head = Buffer.concat([ROWS_HEAD.subarray(0, 8), ROWS_HEAD.subarray(10), Buffer.from([0x82]), length]);
  builder.event(EventType.MARIADB_WRITE_ROWS_COMPRESSED_V1, Buffer.concat([head, deflateSync(rows)]));
  builder.tableMap(orders);
  builder.rows('insert', 7, 2, row(2, 'b'));
  builder.xid();
  transaction(builder, orders, row(3, 'c'));
  const server = { flavor: 'mariadb', version: '', id: 's' } as const;
  const ids = idsOf(new ExtractDriver().open({ server }).bytes(builder.packets()).commit().runs);
  assert.equal(ids.length, 602);
  assert.ok(grow(ids));
  assert.ok(Number((ids[601] ?? 0n) % 10n ** 13n) > LIFT);
});

import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { ColumnType as T } from '../../../src/binlog/column-type.ts';
import type { MaskFunctions } from '../../../src/masking/mask-spec.ts';
import { partitionOfKey } from '../../../src/ums/placing-key.ts';
import { BinlogBuilder, transaction } from '../../support/binlog-builder.ts';
import { image, le, sized } from '../rows/rows-fixture.ts';
import { AppendDriver, insert, row, runOf, table } from './append-fixture.ts';
import { masksOf } from './masking-fixture.ts';

const md5 = (text: string) => createHash('md5').update(text).digest('hex');
const orders = table('orders');

/** A table with a text key and three more columns. */
const people = table('people', 8, {
  columns: [
    { name: 'phone', type: T.VARCHAR, meta: 100 },
    { name: 'name', type: T.VARCHAR, meta: 400, nullable: true },
    { name: 'score', type: T.LONGLONG, nullable: true },
    { name: 'photo', type: T.BLOB, meta: 1, collation: 63, nullable: true },
  ],
});
const person = (phone: string, name: string | null, score: number | null, photo: Buffer | null): Buffer =>
  image(
    sized(phone, 1),
    name === null ? null : sized(name, 2),
    score === null ? null : le(score, 8),
    photo === null ? null : sized(photo, 1),
  );

function update(builder: BinlogBuilder, spec: typeof people, ...images: readonly Buffer[]): void {
  transaction(builder, spec, Buffer.concat(images), 'update');
}

describe('masked columns', () => {
  test('are masked in every row, whatever their length becomes, and said to be', () => {
    const builder = new BinlogBuilder().begin();
    insert(
      builder,
      people,
      person('0170 1', 'Ann "the" Größe', 5, Buffer.from('jpg')),
      person('0170 2', null, null, null),
    );
    const masks = masksOf({
      '*.phone': 'md5',
      'people.name': { type: 'replace', with: 'x' },
      'pe*.SCORE': { type: 'bucket', size: 10 },
      'people.photo': 'default-value',
      'orders.name': 'md5',
    });
    const driver = new AppendDriver({ masks: () => masks }).run(runOf(builder));
    assert.deepEqual(driver.story, [
      ['people.0', ['i', md5('0170 1'), 'x', '0', 'Kg=='], ['i', md5('0170 2'), null, null, null]],
    ]);
    const fields = driver.messages[0]?.schema.fields.slice(4) ?? [];
    assert.deepEqual(
      fields.map(({ name, encoded, nullable }) => [name, encoded, nullable]),
      [
        ['phone', true, false],
        ['name', true, true],
        ['score', true, true],
        ['photo', true, true],
      ],
    );
    assert.deepEqual(driver.states.get('shop.people')?.masked, {
      revision: 0,
      columns: {
        phone: 'md5 (*.phone)',
        name: 'replace with="x" (people.name)',
        score: 'bucket size=10 (pe*.SCORE)',
        photo: 'default-value (people.photo)',
      },
    });
  });

  test('have the same token in every table and column, and the first pattern that matches wins', () => {
    const builder = new BinlogBuilder().begin();
    insert(builder, people, person('Ann', 'Ann', 1, null));
    insert(builder, orders, row(1, 'Ann'));
    const masks = masksOf({ '*.phone': 'md5', 'people.name': 'md5', '*.name': 'md5', 'orders.*': 'null' });
    const driver = new AppendDriver({ masks: () => masks }).run(runOf(builder));
    assert.deepEqual(driver.story, [['people.0', ['i', md5('Ann'), md5('Ann'), '1', null]]]);
    assert.equal(driver.states.get('shop.orders')?.parked?.code, 'UMBUS_MASK_UNFIT');
  });

  test('are masked in before images, and a changed key shows as one', () => {
    const builder = new BinlogBuilder().begin();
    update(builder, people, person('1', 'a', 1, null), person('1', 'b', 1, null));
    update(builder, people, person('1', 'b', 1, null), person('2', 'b', 1, null));
    const masks = masksOf({ '*.phone': 'md5', '*.name': { type: 'keep-edges' } });
    const run = runOf(builder);
    const driver = new AppendDriver({ masks: () => masks }).run(run);
    assert.deepEqual(driver.story, [
      [
        'people.0',
        ['u', md5('1'), '*', '1', null],
        ['b', md5('1'), '*', '1', null],
        ['u', md5('2'), '*', '1', null],
      ],
    ]);
    const all = new AppendDriver({ masks: () => masks, beforeImage: () => true }).run(run);
    assert.equal(all.messages[0]?.payload.length, 4);
  });

  test('that are the key and salted by another column carry a before image in every update', () => {
    const builder = new BinlogBuilder().begin();
    update(builder, people, person('1', 'a', 1, null), person('1', 'b', 1, null));
    const masks = masksOf({ '*.phone': { type: 'md5', saltColumn: 'name' } });
    const driver = new AppendDriver({ masks: () => masks }).run(runOf(builder));
    assert.deepEqual(driver.story, [
      ['people.0', ['b', md5('1a'), 'a', '1', null], ['u', md5('1b'), 'b', '1', null]],
    ]);
  });

  test('place their rows by the masked value, which is what consumers see', () => {
    const builder = new BinlogBuilder().begin();
    insert(builder, people, person('1', 'a', 1, null));
    update(builder, people, person('1', 'a', 1, null), person('2', 'a', 1, null));
    const masks = masksOf({ '*.phone': 'md5' });
    const result = () => ({ partitions: 64, placeBy: 'primary-key', columns: () => null }) as const;
    const driver = new AppendDriver({ masks: () => masks, result }).run(runOf(builder));
    const [one, two] = [partitionOfKey([md5('1')], 64), partitionOfKey([md5('2')], 64)];
    assert.deepEqual(driver.emitted.map(({ options }) => options?.partition).sort(), [one, two].sort());
    const rows = driver.messages.flatMap(({ payload }) => payload.map(({ tuple }) => [tuple[2], tuple[4]]));
    assert.deepEqual(rows, [
      ['i', md5('1')],
      ['d', md5('1')],
      ['i', md5('2')],
    ]);
  });

  test('keep what the row image lacks absent, and mask what it has', () => {
    const builder = new BinlogBuilder().begin();
    builder.gtid();
    builder.tableMap(people);
    // As binlog_row_image MINIMAL has it: the key before, what has changed after.
    const images = Buffer.concat([image(sized('1', 1)), image(sized('b', 2), le(7, 8))]);
    const present = [Buffer.from([0b0001]), Buffer.from([0b0110])];
    builder.rows('update', people.tableId, people.columns.length, images, { present });
    builder.xid();
    const masks = masksOf({ '*.phone': 'md5', '*.name': 'md5', '*.photo': 'default-value' });
    const run = runOf(builder);
    const driver = new AppendDriver({ masks: () => masks }).run(run);
    assert.deepEqual(driver.story, [['people.0', ['u', md5('1'), md5('b'), '7', {}]]]);
    const salted = masksOf({ '*.name': { type: 'md5', saltColumn: 'photo' } });
    const parked = new AppendDriver({ masks: () => salted }).run(run);
    assert.match(parked.states.get('shop.people')?.parked?.message ?? '', /needs its salt column/);
  });

  test('hide bytes that are no text of their character set: hashed as bytes, or withheld', () => {
    const builder = new BinlogBuilder().begin();
    const bytes = Buffer.from([0xff, 0xfe, 0x41]);
    insert(builder, people, image(sized(bytes, 1), sized(bytes, 2), null, null));
    const masks = masksOf({ '*.phone': 'md5', '*.name': { type: 'keep-edges', first: 1 } });
    const driver = new AppendDriver({ masks: () => masks }).run(runOf(builder));
    assert.deepEqual(driver.story, [
      ['people.0', ['i', createHash('md5').update(bytes).digest('hex'), '*', null, null]],
    ]);
  });
});

describe('a change of masks', () => {
  test('takes effect with the next record, is recorded, and ends the version where keys change', () => {
    let masks = masksOf({});
    const driver = new AppendDriver({ masks: () => masks });
    const one = (position: number) => {
      const builder = new BinlogBuilder({ position }).begin();
      insert(builder, people, person('1', 'a', 1, null));
      return runOf(builder);
    };
    driver.run(one(1_000));
    masks = masksOf({ '*.name': { type: 'replace', with: 'x' } }, { revision: 1 });
    driver.run(one(2_000));
    masks = masksOf({ '*.phone': 'md5' }, { revision: 2 });
    driver.run(one(3_000));
    masks = masksOf({}, { revision: 3 });
    driver.run(one(4_000));
    assert.deepEqual(driver.story, [
      ['people.0', ['i', '1', 'a', '1', null]],
      ['people.0', ['i', '1', 'x', '1', null]],
      ['end people.0', 'schema'],
      ['people.1', ['i', md5('1'), 'a', '1', null]],
      ['end people.1', 'schema'],
      ['people.2', ['i', '1', 'a', '1', null]],
    ]);
    assert.equal(driver.states.get('shop.people')?.masked, undefined);
  });
});

describe('a mask that fails', () => {
  const failing = (failed: string): MaskFunctions => ({ call: () => ({ failed }), problemOf: () => null });
  const giving = (value: unknown): MaskFunctions => ({ call: () => ({ value }), problemOf: () => null });
  const rule = { '*.name': { type: 'function', module: './masks.ts' } };

  function parkedWith(functions: MaskFunctions): AppendDriver {
    const builder = new BinlogBuilder().begin();
    insert(builder, orders, row(1, 'MARKER'));
    insert(builder, table('other', 9, { columns: [{ name: 'id', type: T.LONG }] }), image(le(3, 4)));
    insert(builder, orders, row(2, 'MARKER'));
    const masks = masksOf(rule, { functions });
    return new AppendDriver({ masks: () => masks }).run(runOf(builder));
  }

  for (const [what, functions] of Object.entries({
    throws: failing('threw an error'),
    'gives a number for a text': giving(7),
    'gives nothing': giving(undefined),
    'gives too much': giving('x'.repeat(100_000)),
    'gives half a character': giving('\ud83d'),
  })) {
    test(`parks its table when it ${what}, by reference, without a byte of its rows, while others go on`, () => {
      const driver = parkedWith(functions);
      assert.deepEqual(driver.story, [['other.0', ['i', 3]]]);
      const state = driver.states.get('shop.orders');
      assert.equal(state?.parked?.code, 'UMBUS_MASK_FAILED');
      assert.equal(state?.parked?.events, 2);
      assert.match(
        state?.parked?.message ?? '',
        /^The mask function \(\*\.name\) of column shop\.orders\.name (threw|gave)/,
      );
      const bytes = driver.parkedBytes.map(each => Buffer.from(each).toString('latin1'));
      const written = JSON.stringify([bytes, [...driver.states]]);
      assert.doesNotMatch(written, /MARKER/);
      assert.equal(driver.references[0]?.events, 2);
      assert.equal(driver.parked.length, 0);
    });
  }

  test('of a table that no mask can concern is parked with its bytes, as without masks', () => {
    const builder = new BinlogBuilder().begin();
    insert(builder, orders, image(le(2, 4), Buffer.from([9])));
    const masks = masksOf({ 'people.*': 'md5' });
    const driver = new AppendDriver({ masks: () => masks }).run(runOf(builder));
    assert.equal(driver.parked.length, 1);
    assert.equal(driver.parked[0]?.run.tables[0]?.table, 'orders');
  });
});

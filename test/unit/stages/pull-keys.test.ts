/** What becomes of a pull when its rows are told apart otherwise meanwhile: keys of before and after cannot be compared. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { tablePartition } from '../../../src/stages/dispatch.ts';
import { answersOf, PullWorld } from '../../support/pull-world.ts';
import { AppendDriver } from './append-fixture.ts';
import { masksOf } from './masking-fixture.ts';

const PARTITIONS = 8;
/** One that is on the partition of the driver. */
const NAME =
  Array.from({ length: 200 }, (_, i) => `t${i}`).find(
    name => tablePartition('shop', name, PARTITIONS) === 3,
  ) ?? assert.fail();
const DIGITS = { type: 'digits', key: 'pii' };
/** Keys that are long enough for it. */
const [ONE, TWO, THREE] = [1_000_001, 1_000_002, 1_000_003];
const place = { schema: 'shop', table: NAME, pull: 'p' };
const shard = { ...place, shard: 0, token: 'w' };

/** A pull whose window is open, of a table that has three rows. */
class MaskedWorld extends PullWorld {
  masks = masksOf({});
  readonly driver: AppendDriver;
  #fed = 0;

  constructor() {
    super(NAME);
    this.driver = new AppendDriver({
      signals: { schema: 'dbus', partitions: PARTITIONS },
      subscribed: schema => schema === 'shop',
      masks: () => this.masks,
    });
    for (const id of [ONE, TWO, THREE]) this.put(id, 'old');
    this.signal({ ...place, kind: 'begin', whole: true });
    this.signal({ ...shard, kind: 'low' });
    this.feed();
  }

  feed(): void {
    const { records } = this;
    for (; this.#fed < records.length; this.#fed++) {
      const record = records[this.#fed] ?? assert.fail();
      this.driver.run(record.run, 'web.shop', record.headers);
    }
  }

  /** Tells the high watermark and sends a page. */
  pull(rows: readonly (readonly [number, string])[], next: string | null): void {
    this.signal({ ...shard, kind: 'high' });
    this.page('w', 0, rows, next);
    this.feed();
  }

  get answers(): unknown[] {
    return answersOf(this.driver).map(answer =>
      answer.kind === 'aborted' ? [answer.kind, answer.failure.code] : answer.kind,
    );
  }

  /** Names in rows of pulls. */
  get pulled(): unknown[] {
    return this.driver.emitted
      .filter(({ output }) => output.key.toString('utf8').startsWith('data_initial_data'))
      .flatMap(({ output }) => JSON.parse(output.value.toString('utf8')).payload)
      .map(({ tuple }) => tuple[5]);
  }
}

const onKey = masksOf({ '*.id': DIGITS }, { revision: 1 });

describe('a pull whose rows are told apart otherwise meanwhile', () => {
  test('ends when a mask comes on the key of a row that changed before, and publishes nothing over the change', () => {
    const world = new MaskedWorld();
    world.put(TWO, 'new');
    world.feed();
    world.masks = onKey;
    const before: (readonly [number, string])[] = [
      [ONE, 'old'],
      [TWO, 'old'],
    ];
    world.pull(before, null);
    assert.deepEqual(world.answers, ['begun', 'low', 'high', ['aborted', 'UMBUS_PULL_CHANGED']]);
    assert.deepEqual(world.pulled, []);
  });

  test('is read again when the mask came, and then a row changed: all keys are called by their new names', () => {
    const world = new MaskedWorld();
    world.masks = onKey;
    world.put(TWO, 'new');
    world.feed();
    world.pull([[TWO, 'old']], null);
    assert.deepEqual(world.answers, ['begun', 'low', 'high', 'void']);
    world.signal({ ...shard, kind: 'low' });
    world.pull([[TWO, 'new']], null);
    assert.deepEqual(world.answers.slice(4), ['low', 'high', 'page']);
    assert.deepEqual(world.pulled, ['new']);
  });

  test('ends when rows change before and after the mask comes', () => {
    const world = new MaskedWorld();
    world.put(TWO, 'new');
    world.feed();
    world.masks = onKey;
    world.put(THREE, 'new');
    world.feed();
    world.masks = masksOf({});
    world.pull([[THREE, 'old']], null);
    assert.deepEqual(world.answers, ['begun', 'low', 'high', ['aborted', 'UMBUS_PULL_CHANGED']]);
    assert.deepEqual(world.pulled, []);
  });

  test('ends when rows are published already, which are called otherwise then', () => {
    const world = new MaskedWorld();
    world.pull([[ONE, 'old']], String(ONE));
    world.masks = onKey;
    world.page('w', 1, [[TWO, 'old']], null);
    world.feed();
    assert.deepEqual(world.answers, ['begun', 'low', 'high', 'page', ['aborted', 'UMBUS_PULL_CHANGED']]);
    assert.deepEqual(world.pulled, ['old']);
  });

  test('goes on when a mask comes on another column, and begins with a mask that came before its rows', () => {
    const world = new MaskedWorld();
    world.masks = onKey;
    world.pull([[ONE, 'old']], String(ONE));
    world.masks = masksOf({ '*.id': DIGITS, '*.name': { type: 'replace', with: 'x' } }, { revision: 2 });
    world.page('w', 1, [[TWO, 'old']], null);
    world.feed();
    assert.deepEqual(world.answers, ['begun', 'low', 'high', 'page', 'page']);
    assert.deepEqual(world.pulled, ['old', 'x']);
  });

  test('tells its end again to who asks for a shard when it is over', () => {
    const world = new MaskedWorld();
    world.signal({ ...shard, kind: 'low', last: true });
    world.pull([[ONE, 'old']], null);
    assert.deepEqual(world.answers.slice(2), ['low', 'high', 'page', 'ended']);
    world.signal({ ...shard, kind: 'low', token: 'late' });
    world.feed();
    assert.deepEqual(world.answers.slice(6), ['known', 'ended']);
  });
});

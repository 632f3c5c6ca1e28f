import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SkewFilter } from '../../../src/change/clock-skew.ts';

/** A question that takes `there` and `back` microseconds, to a clock that is `ahead`. */
function sample(sentMicros: number, there: number, back: number, ahead: number) {
  return {
    sentMicros,
    serverMicros: sentMicros + there + ahead,
    receivedMicros: sentMicros + there + back,
  };
}

test('the shortest trip tells the skew, within half of its length', () => {
  const filter = new SkewFilter();
  assert.equal(filter.best, null);
  for (let i = 0; i < 10; i++) filter.add(sample(i * 1_000_000, 100 + i * 900, 100, 90_000_000));
  const { skewMicros, errorMicros } = filter.best ?? assert.fail();
  assert.deepEqual([skewMicros, errorMicros], [90_000_000, 100]);
});

test('a clock that is set is noticed at the next sample, and only then', () => {
  const filter = new SkewFilter();
  for (let i = 0; i < 5; i++) filter.add(sample(i * 1_000_000, 200, 200, -3_000_000));
  // A slow answer is no clock that was set.
  filter.add(sample(6_000_000, 40_000, 200, -3_000_000));
  assert.equal(filter.best?.skewMicros, -3_000_000);
  const after = filter.add(sample(7_000_000, 300, 300, 60_000_000));
  assert.deepEqual(after, { skewMicros: 60_000_000, errorMicros: 300 });
});

test('a trip that ends before it begins tells nothing', () => {
  const filter = new SkewFilter();
  assert.equal(filter.add({ sentMicros: 10, serverMicros: 10, receivedMicros: 5 }), null);
});

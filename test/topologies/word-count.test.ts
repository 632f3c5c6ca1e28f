import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDriver, explore } from '../../src/testing/index.ts';
import { countStore, counts, lines, wordCount } from './word-count.ts';

test('counts words over a repartition', async () => {
  const driver = createDriver(wordCount, {});
  await driver.in(lines).send('a', 'one two two');
  await driver.in(lines).send('b', 'two three');
  await driver.settle();
  assert.deepEqual(Object.fromEntries(await driver.store(countStore)), { one: 1, two: 3, three: 1 });
  assert.equal(driver.out(counts).all().length, 5);
  await driver.stop();
});

for (const commitMode of ['atomic', 'outputs-first'] as const) {
  test(`counts exactly whatever happens, with ${commitMode} commits`, async () => {
    const text = [
      'to be or not to be',
      'that is the question',
      'whether it is nobler',
      'to suffer the slings',
      'or to take arms',
    ];
    const expected = new Map<string, number>();
    for (const word of text.join(' ').split(' ')) expected.set(word, (expected.get(word) ?? 0) + 1);
    const result = await explore({
      seeds: 120,
      build: seed => createDriver(wordCount, {}, { seed, instances: 3, commitMode }),
      faults: { crash: 0.03, zombie: 0.03, rebalance: 0.02, duplicate: 0.03, redeliver: 0.03 },
      run: async (driver, random) => {
        for (const line of text) {
          await driver.in(lines).send(`line ${random.below(10)}`, line);
          if (random.chance(0.5)) await driver.settle();
          else for (let steps = random.below(10); steps > 0; steps -= 1) await driver.step();
        }
      },
      invariant: async driver => {
        const found = Object.fromEntries(await driver.store(countStore));
        assert.deepEqual(found, Object.fromEntries(expected));
        const seen = new Map<string, number[]>();
        for (const { value } of driver.out(counts).distinct())
          seen.set(value.word, [...(seen.get(value.word) ?? []), value.count]);
        for (const [word, count] of expected) {
          assert.deepEqual(
            seen.get(word),
            Array.from({ length: count }, (_, index) => index + 1),
            word,
          );
        }
      },
    });
    assert.ok(result.faults > 100, `only ${result.faults} faults`);
  });
}

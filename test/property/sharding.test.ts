import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { KeyLiterals, KeyRange } from '../../src/sharding/key-range.ts';
import { splitStep } from '../../src/sharding/split-plan.ts';

type Key = readonly [number, number];

const compare = (a: Key, b: Key): number => a[0] - b[0] || a[1] - b[1];
const keyOf = (literals: KeyLiterals): Key => [Number(literals[0]), Number(literals[1])];

function within(key: Key, { after, upTo }: KeyRange): boolean {
  return (
    (after === null || compare(key, keyOf(after)) > 0) && (upTo === null || compare(key, keyOf(upTo)) <= 0)
  );
}

/** A table of keys that changes after each boundary that is asked for. */
function table(keys: readonly Key[], changes: readonly (readonly [insert: boolean, key: Key])[]) {
  const rows = new Map(keys.map(key => [key.join(), key]));
  const left = [...changes];
  const ordered = (): Key[] => [...rows.values()].sort(compare);
  return {
    ordered,
    boundary(after: KeyLiterals | null, size: number): KeyLiterals | null {
      const rest = ordered().filter(key => after === null || compare(key, keyOf(after)) > 0);
      const last = rest[size - 1];
      const change = left.shift();
      if (change !== undefined) {
        const [insert, key] = change;
        if (insert) rows.set(key.join(), key);
        else rows.delete(key.join());
      }
      return last?.map(String) ?? null;
    },
  };
}

async function allShards(
  boundary: (after: KeyLiterals | null) => KeyLiterals | null,
  most: number,
): Promise<KeyRange[]> {
  const shards: KeyRange[] = [];
  let after: KeyLiterals | null = null;
  for (;;) {
    const step = await splitStep(after, most, async from => boundary(from));
    shards.push(...step.shards);
    assert.ok(step.shards.length <= most);
    if (step.next === null) return shards;
    after = step.next.after;
  }
}

// Few first parts, so keys are skewed: most rows may share one.
const key = fc.tuple(fc.constantFrom(-5, 0, 0, 0, 7), fc.integer({ min: 0, max: 60 }));

test('each row of a table that stands still is in exactly one shard, and shards are of equal size but the last', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(key),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 4 }),
      async (keys, size, most) => {
        const source = table(keys, []);
        const shards = await allShards(after => source.boundary(after, size), most);
        const rows = source.ordered();
        for (const row of rows) assert.equal(shards.filter(shard => within(row, shard)).length, 1);
        const sizes = shards.map(shard => rows.filter(row => within(row, shard)).length);
        assert.ok(sizes.slice(0, -1).every(count => count === size));
        assert.ok((sizes.at(-1) ?? 0) < size);
      },
    ),
  );
});

test('each key that ever was or comes is in exactly one shard, whatever changes while the table is cut', async () => {
  const changes = fc.array(fc.tuple(fc.boolean(), key));
  await fc.assert(
    fc.asyncProperty(fc.array(key), changes, fc.integer({ min: 1, max: 9 }), async (keys, changed, size) => {
      const source = table(keys, changed);
      const shards = await allShards(after => source.boundary(after, size), 3);
      for (const row of [...keys, ...changed.map(([, each]) => each)]) {
        assert.equal(shards.filter(shard => within(row, shard)).length, 1);
      }
      assert.equal(shards.at(-1)?.upTo, null);
    }),
  );
});

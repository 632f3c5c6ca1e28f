import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  type Assignment,
  assignPartitions,
  type GroupMemberView,
  withoutStillOwned,
} from '../../../src/adapters/kafka/assignment.ts';

const member = (id: string, owned: readonly number[] = [], generation = 1): GroupMemberView => ({
  id,
  owned,
  generation: owned.length === 0 ? -1 : generation,
});
const plain = (assignment: Assignment) => Object.fromEntries(assignment);

describe('sharing partition numbers', () => {
  test('gives new members equal shares, whatever the order they come in', () => {
    const expected = { a: [0, 3], b: [1], c: [2] };
    const members = [member('c'), member('a'), member('b')];
    const shares = assignPartitions(members, 4);
    assert.deepEqual(plain(shares), plain(assignPartitions(members.toReversed(), 4)));
    assert.deepEqual(
      [...shares.values()].map(share => share.length).sort(),
      Object.values(expected)
        .map(share => share.length)
        .sort(),
    );
  });

  test('moves no more than it must when a member comes', () => {
    const shares = assignPartitions([member('a', [0, 1, 2, 3, 4]), member('b')], 5);
    assert.deepEqual(plain(shares), { a: [0, 1, 2], b: [3, 4] });
  });

  test('leaves the others what they have when a member goes', () => {
    const shares = assignPartitions([member('a', [0, 1]), member('c', [4, 5])], 6);
    assert.equal(shares.get('a')?.length, 3);
    assert.ok([0, 1].every(number => shares.get('a')?.includes(number)));
    assert.ok([4, 5].every(number => shares.get('c')?.includes(number)));
  });

  test('gives members nothing when there are more than numbers, and nothing to nobody', () => {
    const shares = assignPartitions([member('a'), member('b'), member('c')], 2);
    assert.deepEqual([...shares.values()].map(share => share.length).sort(), [0, 1, 1]);
    assert.deepEqual(plain(assignPartitions([], 3)), {});
  });

  test('believes the claim of the newer generation, and none of equal ones', () => {
    const newer = [member('a', [0, 1], 4), member('b', [0, 1], 7)];
    const wanted = assignPartitions(newer, 2);
    assert.equal(wanted.get('b')?.length, 1);
    assert.deepEqual(withoutStillOwned(newer, wanted).get('a'), []);
    const equal = [member('a', [0], 3), member('b', [0], 3)];
    const now = withoutStillOwned(equal, assignPartitions(equal, 1));
    assert.deepEqual(plain(now), { a: [], b: [] });
  });

  test('hands out only what nobody else owns any more', () => {
    const members = [member('a', [0, 1, 2, 3]), member('b')];
    const wanted = assignPartitions(members, 4);
    assert.deepEqual(plain(withoutStillOwned(members, wanted)), { a: [0, 1], b: [] });
    const after = [member('a', [0, 1], 2), member('b')];
    assert.deepEqual(plain(withoutStillOwned(after, assignPartitions(after, 4))), { a: [0, 1], b: [2, 3] });
  });
});

/** Members that come, go and miss rebalances, with what each owns after every round. */
const rounds = fc.array(
  fc.record({
    leave: fc.array(fc.nat({ max: 5 }), { maxLength: 2 }),
    join: fc.nat({ max: 2 }),
  }),
  { minLength: 1, maxLength: 8 },
);

test('every number ends with one owner, shares differ by one, and no round has two owners', () => {
  fc.assert(
    fc.property(rounds, fc.integer({ min: 1, max: 9 }), (steps, partitions) => {
      let group = new Map<string, readonly number[]>([['m0', []]]);
      let named = 1;
      let generation = 0;
      for (const step of steps) {
        for (const index of step.leave) group.delete(`m${index}`);
        for (let count = 0; count < step.join; count++) group.set(`m${named++}`, []);
        for (let turn = 0; turn < 3; turn++) {
          generation += 1;
          const views = [...group].map(([id, owned]) => member(id, owned, generation - 1));
          const wanted = assignPartitions(views, partitions);
          const now = withoutStillOwned(views, wanted);
          const held = new Map<string, readonly number[]>();
          for (const [id, owned] of group) {
            const assigned = now.get(id) ?? [];
            // What it has to give back it still holds until it has joined again.
            const during = new Set([...owned, ...assigned]);
            for (const [other, numbers] of held) {
              const both = [...during].filter(number => numbers.includes(number));
              assert.deepEqual(both, [], `${id} and ${other} hold ${both}`);
            }
            held.set(id, [...during]);
          }
          group = new Map([...group.keys()].map(id => [id, now.get(id) ?? []]));
        }
        const all = [...group.values()].flat().sort((one, other) => one - other);
        if (group.size === 0) continue;
        assert.deepEqual(
          all,
          Array.from({ length: partitions }, (_, index) => index),
        );
        const sizes = [...group.values()].map(share => share.length);
        assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, sizes.join());
      }
    }),
    { numRuns: 300 },
  );
});

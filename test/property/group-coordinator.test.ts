import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { GroupCoordinator, type Seat } from '../../src/adapters/local-log/group-coordinator.ts';
import type { Clock } from '../../src/ports/clock.ts';

const clock: Clock = {
  now: () => 0,
  sleep: (_ms, signal) =>
    new Promise(resolve => {
      signal?.addEventListener('abort', () => resolve(), { once: true });
    }),
};

const step = fc.record({
  kind: fc.constantFrom('join', 'leave', 'expel', 'rotate', 'poll', 'poll', 'poll'),
  which: fc.nat({ max: 20 }),
});

/** What a member does inside a poll: it comes back when it was expelled, gives back what is asked for and takes note of what it got. */
function poll(coordinator: GroupCoordinator, seat: Seat): void {
  seat.lost.clear();
  if (!seat.active) coordinator.rejoin(seat);
  coordinator.release(seat, [...seat.revoke]);
  seat.announce.clear();
}

test('never gives a slot to two members, and shares all of them equally once everybody has polled', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 12 }), fc.array(step, { maxLength: 60 }), async (extra, steps) => {
      const slots = extra + 1;
      const coordinator = new GroupCoordinator(clock, 1_000);
      const seats: Seat[] = [];
      const holder = { changed() {}, settled: async () => {} };
      const check = () => {
        const held = seats.flatMap(seat => [...seat.held]);
        assert.equal(new Set(held).size, held.length, 'a slot has two owners');
      };
      for (const [index, { kind, which }] of steps.entries()) {
        const seat = seats[which % Math.max(1, seats.length)];
        if (kind === 'join') seats.push(coordinator.join('g', { topics: ['t'], slots }, `m${index}`, holder));
        else if (seat === undefined) continue;
        else if (kind === 'leave') {
          coordinator.leave(seat);
          seats.splice(seats.indexOf(seat), 1);
        } else if (kind === 'expel') coordinator.expel(seat);
        else if (kind === 'rotate') {
          if (seat.active) coordinator.rotate(seat.group);
        } else poll(coordinator, seat);
        check();
        // Expelled members settle in a promise.
        await Promise.resolve();
        await Promise.resolve();
        check();
      }
      for (let round = 0; round < 4; round++) {
        for (const seat of seats) poll(coordinator, seat);
        await Promise.resolve();
      }
      check();
      if (seats.length === 0) return;
      const counts = seats.map(seat => seat.held.size);
      assert.equal(
        counts.reduce((sum, count) => sum + count, 0),
        slots,
        'a slot has no owner',
      );
      assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, `unequal: ${counts}`);
    }),
    { numRuns: 500 },
  );
});

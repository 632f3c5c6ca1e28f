import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from '../../../src/adapters/pull/turns.ts';

/** Work that lasts until it is ended; `ran` has the names in the order in which they began. */
function works(turns: Turns) {
  const ran: string[] = [];
  const ends = new Map<string, () => void>();
  const begin = (name: string, most = Number.POSITIVE_INFINITY): Promise<string | null> =>
    turns.take(name.slice(0, 1), most, async () => {
      ran.push(name);
      await new Promise<void>(resolve => ends.set(name, resolve));
      return name;
    });
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.();
    await settled();
  };
  /** When all has begun that may. */
  const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
  return { ran, begin, end, settled };
}

test('pulls share the turns of a process in order, and none has more than it may', async () => {
  const turns = new Turns(3);
  const { ran, begin, end, settled } = works(turns);
  const all = [begin('a1', 2), begin('a2', 2)];
  assert.equal(await begin('a3', 2), null, 'what may not begin does not wait in the way of others');
  all.push(begin('b1'), begin('b2'), begin('b3'));
  await settled();
  assert.deepEqual(ran, ['a1', 'a2', 'b1']);
  assert.equal(turns.taken, 3);
  await end('b1');
  await end('a1');
  assert.deepEqual(ran, ['a1', 'a2', 'b1', 'b2', 'b3']);
  for (const name of ['a2', 'b2', 'b3']) await end(name);
  assert.equal(turns.taken, 0);
  assert.deepEqual(await Promise.all(all), ['a1', 'a2', 'b1', 'b2', 'b3']);
});

test('one that waits for the others of its pull lets those of other pulls pass, and begins when they have ended', async () => {
  const { ran, begin, end, settled } = works(new Turns(2));
  const all = [begin('a1', 1), begin('b1')];
  await settled();
  await end('a1');
  all.push(begin('c1'));
  await settled();
  // All turns are taken, so both wait; the pull of both may have one.
  all.push(begin('a2', 1), begin('a3', 1), begin('c2'));
  await end('b1');
  assert.deepEqual(ran, ['a1', 'b1', 'c1', 'a2']);
  await end('c1');
  assert.deepEqual(ran, ['a1', 'b1', 'c1', 'a2', 'c2']);
  await end('a2');
  assert.deepEqual(ran, ['a1', 'b1', 'c1', 'a2', 'c2', 'a3']);
  for (const name of ['c2', 'a3']) await end(name);
  await Promise.all(all);
});

test('a turn that fails is free again', async () => {
  const turns = new Turns(1);
  const failing = async (): Promise<void> => {
    throw new RangeError('no');
  };
  await assert.rejects(turns.take('a', 1, failing), RangeError);
  assert.equal(await turns.take('a', 1, async () => 7), 7);
});

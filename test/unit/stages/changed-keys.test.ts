import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChangedKeys } from '../../../src/stages/changed-keys.ts';
import type { Store } from '../../../src/topology/types.ts';

function storeOf(held: Map<string, string>): Store<string, string> {
  return {
    get: key => held.get(key),
    set: (key, value) => void held.set(key, value),
    delete: key => void held.delete(key),
    entries: () => held.entries(),
  };
}

test('keys that changed are remembered over records, and forgotten when no window that is open needs them', () => {
  const held = new Map<string, string>();
  const first = new ChangedKeys(storeOf(held));
  assert.equal(first.note('s.t', 'a', '10'), true);
  assert.equal(first.note('s.t', 'a', '30'), false);
  first.note('s.t', 'b', '20');
  first.note('s.u', 'b', '20');
  assert.deepEqual([...first.commit(() => null)], [], 'no window has closed');
  const second = new ChangedKeys(storeOf(held));
  assert.equal(second.lastOf('s.t', 'a'), '30');
  assert.equal(second.note('s.t', 'b', '25'), false);
  second.closed('s.t');
  assert.deepEqual([...second.commit(() => '30')], [['s.t', 1]]);
  assert.deepEqual([...held.keys()], ['s.t\0a', 's.u\0b']);
});

test('keys that change for a window that opened after another had closed in the same record are kept', () => {
  const held = new Map<string, string>();
  const keys = new ChangedKeys(storeOf(held));
  keys.note('s.t', 'a', '10');
  keys.closed('s.t');
  // A window opens at 20.
  keys.note('s.t', 'b', '30');
  assert.deepEqual([...keys.commit(table => (table === 's.t' ? '20' : null))], [['s.t', 1]]);
  assert.deepEqual([...held], [['s.t\0b', '30']]);
});

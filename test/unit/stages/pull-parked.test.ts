/** What becomes of a pull when its table is parked meanwhile: which keys change is not known then. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../../src/testing/random.ts';
import { PULLED, PullLine } from '../../support/pull-line.ts';
import { PlainReader } from '../../support/pull-readers.ts';
import { PullWorld } from '../../support/pull-world.ts';

const place = { schema: 'shop', table: PULLED, pull: 'p' };
const shard = { ...place, shard: 0, token: 'w' };

test('a pull ends when its table is parked while a shard is read, so that no page is published over what a replay has brought', () => {
  const world = new PullWorld(PULLED);
  world.rows.set(1, 'old');
  const line = new PullLine({ world, random: seededRandom(1), atomic: true, commits: 1, kills: 0 });
  const answers: string[] = [];
  const go = (): void => line.drain(({ kind }) => answers.push(kind));
  world.signal({ ...place, kind: 'begin', whole: true });
  world.signal({ ...shard, kind: 'low' });
  const read = [...world.rows];
  world.damage();
  world.put(1, 'new');
  go();
  // Somebody mends what could not be decoded, and replays: what was parked is published, and the table goes on.
  const key = `shop.${PULLED}`;
  const state = line.driver.states.get(key);
  assert.ok(state?.parked);
  line.driver.states.set(key, { ...state, parked: null });
  world.signal({ ...shard, kind: 'high' });
  world.page('w', 0, read, null);
  go();
  assert.deepEqual(answers, ['begun', 'low', 'aborted', 'aborted']);
  const reader = new PlainReader(false);
  reader.read(line.published);
  assert.deepEqual([...reader.rows], [], 'the page is left out');
});

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { throughDoor } from '../../../src/adapters/embedded/door.ts';
import { describeProcess } from '../../../src/adapters/embedded/process-identity.ts';

let dir = '';
const door = () => join(dir, 'door');
/** How long a passage took, which does nothing. */
async function passed(): Promise<number> {
  const start = performance.now();
  await throughDoor(dir, () => {});
  return performance.now() - start;
}
function aged(file: string): void {
  const seconds = Date.now() / 1_000 - 60;
  utimesSync(file, seconds, seconds);
}

describe('the door of a directory', () => {
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'umbus-door-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it('lets one in after the other, also of one process, and leaves no file', async () => {
    let inside = 0;
    let most = 0;
    const pass = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      assert.equal(JSON.parse(readFileSync(door(), 'utf8')).pid, process.pid);
      await new Promise(resolve => setImmediate(resolve));
      inside--;
    };
    await Promise.all(Array.from({ length: 20 }, () => throughDoor(dir, pass)));
    assert.equal(most, 1);
    assert.deepEqual(readdirSync(dir), []);
  });

  it('is free again after a failure, which it hands on', async () => {
    const failed = throughDoor(dir, () => {
      throw new RangeError('no');
    });
    await assert.rejects(failed, RangeError);
    assert.deepEqual(readdirSync(dir), []);
  });

  it('does not wait for who is gone, nor for what a crash of the machine left of it', async () => {
    const dead = JSON.stringify({ ...describeProcess(), started: '1' });
    const elsewhere = { host: 'elsewhere', started: '1', boot: null, pidNamespace: 'pid:[1]' };
    const unknown = JSON.stringify({ ...describeProcess(), ...elsewhere });
    for (const left of [dead, unknown, '', '\0\0', dead.slice(0, 20)]) {
      writeFileSync(door(), left);
      aged(door());
      assert.ok((await passed()) < 5_000, left);
      assert.deepEqual(readdirSync(dir), [], left);
    }
  });

  it('is taken from the dead by one at a time, and not by who was killed while he did', async () => {
    writeFileSync(door(), JSON.stringify({ ...describeProcess(), started: '1' }));
    writeFileSync(join(dir, 'door.clear'), '');
    const passing = throughDoor(dir, () => readdirSync(dir));
    assert.deepEqual(readdirSync(dir).sort(), ['door', 'door.clear']);
    aged(join(dir, 'door.clear'));
    assert.deepEqual(await passing, ['door']);
    assert.deepEqual(readdirSync(dir), []);
  });

  it('of who comes later stays, when the one before did not leave for too long', async () => {
    await throughDoor(dir, () => writeFileSync(door(), 'another'));
    assert.equal(readFileSync(door(), 'utf8'), 'another');
  });

  it('is none where no file can be made', async () => {
    const missing = join(dir, 'nowhere');
    const start = performance.now();
    assert.equal(await throughDoor(missing, () => 7), 7);
    assert.ok(performance.now() - start < 5_000);
  });
});

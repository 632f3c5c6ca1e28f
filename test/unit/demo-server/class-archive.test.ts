import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { classArchive } from '../../../src/cli/demo-server/class-archive.ts';
import { cacheDir } from '../../../src/cli/demo-server/data-template.ts';

const quiet = () => {};

function uniqueName(): string {
  return `test-archive-${process.pid}-${Math.random().toString(36).slice(2)}`;
}

function draftOf(javaArg: string): string {
  return javaArg.replace('-XX:ArchiveClassesAtExit=', '');
}

test('the archive is made by one training run, and read from then on', async () => {
  const name = uniqueName();
  const archive = join(cacheDir, `${name}.jsa`);
  let runs = 0;
  const training = async (javaArg: string) => {
    runs += 1;
    await writeFile(draftOf(javaArg), 'classes');
  };
  try {
    for (let start = 0; start < 2; start += 1) {
      assert.deepEqual(await classArchive(name, training, quiet), [`-XX:SharedArchiveFile=${archive}`]);
    }
    assert.equal(runs, 1);
    assert.ok(existsSync(archive));
  } finally {
    await rm(archive, { force: true });
  }
});

test('where training fails a server starts without an archive, and that is said', async () => {
  const name = uniqueName();
  const said: string[] = [];
  const training = async (javaArg: string) => {
    await writeFile(draftOf(javaArg), 'half');
    throw new Error('no memory');
  };
  assert.deepEqual(await classArchive(name, training, line => said.push(line)), []);
  assert.match(said.join('\n'), /no memory/);
  assert.deepEqual(
    readdirSync(cacheDir).filter(entry => entry.startsWith(name)),
    [],
  );
});

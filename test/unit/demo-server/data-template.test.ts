import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { cacheDir, cachedDirectory, copyOfTemplate } from '../../../src/cli/demo-server/data-template.ts';

function uniqueName(): string {
  return `test-template-${process.pid}-${Math.random().toString(36).slice(2)}`;
}

test('builders that race leave one complete directory and no draft', async () => {
  const name = uniqueName();
  try {
    let builds = 0;
    const build = async (dir: string) => {
      builds += 1;
      await writeFile(join(dir, 'one'), '1');
      await writeFile(join(dir, 'two'), '2');
    };
    const paths = await Promise.all(Array.from({ length: 5 }, () => cachedDirectory(name, build)));
    assert.deepEqual(new Set(paths), new Set([join(cacheDir, name)]));
    assert.deepEqual(readdirSync(join(cacheDir, name)).sort(), ['one', 'two']);
    assert.deepEqual(
      readdirSync(cacheDir).filter(entry => entry.startsWith(`${name}.draft`)),
      [],
    );
    const before = builds;
    await cachedDirectory(name, build);
    assert.equal(builds, before);
  } finally {
    await rm(join(cacheDir, name), { recursive: true, force: true });
  }
});

test('a build that fails leaves nothing', async () => {
  const name = uniqueName();
  const failing = cachedDirectory(name, async dir => {
    await writeFile(join(dir, 'half'), '');
    throw new Error('no space');
  });
  await assert.rejects(failing, /no space/);
  assert.deepEqual(
    readdirSync(cacheDir).filter(entry => entry.startsWith(name)),
    [],
  );
});

test('a copy is independent of its template', async () => {
  const name = uniqueName();
  const template = await cachedDirectory(name, dir => writeFile(join(dir, 'file'), 'as made'));
  const copy = await copyOfTemplate(template, 'umbus-test-');
  try {
    await writeFile(join(copy, 'data', 'file'), 'changed');
    assert.equal(readFileSync(join(template, 'file'), 'utf8'), 'as made');
  } finally {
    await rm(template, { recursive: true, force: true });
    await rm(copy, { recursive: true, force: true });
  }
  assert.ok(!existsSync(copy));
});

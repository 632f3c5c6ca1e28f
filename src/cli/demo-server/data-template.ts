import { constants, existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** `<package root>/.cache`: what is slow to make and may be deleted at any time. */
export const cacheDir = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '.cache');

/**
 * Makes `<cache>/<name>` once with `build`, which fills an empty directory, and gives its path. Several processes may ask at
 * once: each that finds nothing builds in a directory of its own, the first to rename wins, the others use its result.
 */
export async function cachedDirectory(name: string, build: (dir: string) => Promise<void>): Promise<string> {
  const target = join(cacheDir, name);
  if (existsSync(target)) return target;
  await mkdir(cacheDir, { recursive: true });
  const draft = await mkdtemp(join(cacheDir, `${name}.draft-`));
  try {
    await build(draft);
    await rename(draft, target).catch(error => {
      if (!existsSync(target)) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return target;
}

/** A new temporary directory holding a copy of `template` as `data`. The caller removes the directory. */
export async function copyOfTemplate(template: string, prefix: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), prefix));
  await cp(template, join(dir, 'data'), { recursive: true, mode: constants.COPYFILE_FICLONE });
  return dir;
}

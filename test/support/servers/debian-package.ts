import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDir } from '../../../src/cli/demo-server/data-template.ts';
import { withInstallLock } from '../../../src/cli/demo-server/install-lock.ts';

const run = promisify(execFile);
const DOWNLOAD_MS = 10 * 60_000;

/**
 * Directory with the programs of a package of Debian that was fetched and unpacked, not installed: no service, no account, no root; or what it has in `inside` instead. For what needs the C library and
 * what other tests need, and nothing else. What was fetched stays in the cache. Throws where there is no apt-get, or no such package.
 */
export async function unpackedPackage(name: string, inside = 'usr/bin'): Promise<string> {
  const directory = join(cacheDir, `debian-${name}`);
  if (existsSync(directory)) return directory;
  await mkdir(cacheDir, { recursive: true });
  return await withInstallLock(join(cacheDir, `debian-${name}.lock`), async () => {
    if (!existsSync(directory)) await unpack(name, inside, directory);
    return directory;
  });
}

async function unpack(name: string, inside: string, directory: string): Promise<void> {
  const draft = await mkdtemp(join(cacheDir, `${name}.draft-`));
  try {
    const options = { cwd: draft, timeout: DOWNLOAD_MS };
    try {
      await run('apt-get', ['download', name], options);
    } catch {
      // Package lists that are empty or old make the first try fail.
      await run('apt-get', ['update', '-qq'], options);
      await run('apt-get', ['download', name], options);
    }
    const archive = (await readdir(draft)).find(file => file.endsWith('.deb'));
    if (archive === undefined) throw new Error(`apt-get download ${name} left no package.`);
    const root = join(draft, 'root');
    await run('dpkg-deb', ['--extract', join(draft, archive), root], options);
    await rename(join(root, inside), directory);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../core/errors.ts';
import { cacheDir } from './data-template.ts';
import { withInstallLock } from './install-lock.ts';

/**
 * Java arguments that let a server load its classes from an archive, which halves the time of a start. The archive lies in the
 * cache; it is made once by a `training` run, which gets the argument that writes it when the server stops in order. Where that
 * fails the server starts without: then no arguments, and `progress` is told.
 */
export async function classArchive(
  name: string,
  training: (javaArg: string) => Promise<void>,
  progress: (line: string) => void,
): Promise<readonly string[]> {
  const archive = join(cacheDir, `${name}.jsa`);
  const draft = `${archive}.${process.pid}`;
  try {
    if (!existsSync(archive)) {
      await withInstallLock(`${archive}.lock`, async () => {
        if (existsSync(archive)) return;
        await training(`-XX:ArchiveClassesAtExit=${draft}`);
        await rename(draft, archive);
      });
    }
    return [`-XX:SharedArchiveFile=${archive}`];
  } catch (error) {
    progress(`No archive of classes, starts take longer: ${messageOf(error)}`);
    return [];
  } finally {
    await rm(draft, { force: true });
  }
}

import { statfs } from 'node:fs/promises';

/** Bytes that this process may still write on the disk of a path; null where the system does not tell. */
export async function diskFreeBytes(path: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch {
    // The directory is not there yet, or the system has no such call: not known.
    return null;
  }
}

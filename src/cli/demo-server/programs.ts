import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { type ErrorCode, messageOf, UmbusError } from '../../core/errors.ts';

const run = promisify(execFile);

const INSTALL_DEADLINE_MS = 10 * 60_000;
const SYSTEM_DIRECTORIES = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin'];

/** Path of a program in PATH or in a usual system directory; null when there is none. */
export function findProgram(program: string): string | null {
  for (const directory of [...(process.env['PATH'] ?? '').split(delimiter), ...SYSTEM_DIRECTORIES]) {
    const path = join(directory, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here: look in the next directory.
    }
  }
  return null;
}

async function aptGet(args: readonly string[]): Promise<void> {
  await run('apt-get', [...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: INSTALL_DEADLINE_MS,
    maxBuffer: 64 * 1024 * 1024,
  });
}

async function installWithApt(packages: readonly string[]): Promise<void> {
  const install = ['install', '-y', '-qq', '--no-install-recommends', ...packages];
  try {
    await aptGet(install);
  } catch {
    // Package lists that are empty or old make the first try fail.
    await aptGet(['update', '-qq']);
    await aptGet(install);
  }
}

/** Programs that are needed, and how they come onto the machine. */
export interface ProgramNeed<T> {
  /** What the machine has; null when something is missing. */
  readonly find: () => T | null | Promise<T | null>;
  /** Subject of the messages, for example `MariaDB`. */
  readonly title: string;
  /** What is looked for first, for example `mariadbd`. */
  readonly program: string;
  /** Names of the packages in Debian and Ubuntu. */
  readonly debianPackages: readonly string[];
  /** Says what a person installs who cannot use the packages' names. */
  readonly byHand: string;
  /** Code of the error when it cannot be had. */
  readonly code: ErrorCode;
}

/**
 * Finds programs, or installs them from the packages of Debian or Ubuntu when this process is root. Errors: the need's code; the
 * message says what to install.
 */
export async function ensurePrograms<T>(need: ProgramNeed<T>, progress: (line: string) => void): Promise<T> {
  const { title, program, debianPackages, code } = need;
  const found = await need.find();
  if (found !== null) return found;
  const byHand = `${need.byHand}, on Debian and Ubuntu: sudo apt-get install --no-install-recommends ${debianPackages.join(' ')}.`;
  if (findProgram('apt-get') === null || process.getuid?.() !== 0) {
    throw new UmbusError(code, `There is no ${program} on this machine. ${byHand}`);
  }
  progress(`Installing ${debianPackages.join(' and ')} with apt-get.`);
  try {
    await installWithApt(debianPackages);
  } catch (cause) {
    throw new UmbusError(code, `apt-get failed: ${messageOf(cause)} ${byHand}`, { cause });
  }
  const installed = await need.find();
  if (installed !== null) return installed;
  throw new UmbusError(code, `apt-get installed ${title}, but its programs are not in PATH. ${byHand}`);
}

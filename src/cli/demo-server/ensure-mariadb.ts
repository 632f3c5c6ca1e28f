import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf, UmbusError } from '../../core/errors.ts';

const run = promisify(execFile);

/** Gives mariadbd and mariadb-install-db (server-core), and mariadb-binlog with the clients (client); starts no service. */
const DEBIAN_PACKAGES = ['mariadb-server-core', 'mariadb-client'];
const INSTALL_DEADLINE_MS = 10 * 60_000;
const SYSTEM_DIRECTORIES = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin'];

/** Paths of MariaDB's programs. */
export interface MariadbPrograms {
  readonly server: string;
  readonly installDb: string;
  readonly client: string;
  readonly binlog: string;
  /** For example `10.11.19-MariaDB`. */
  readonly version: string;
}

function find(program: string): string | null {
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

async function findMariadb(): Promise<MariadbPrograms | null> {
  const server = find('mariadbd');
  const installDb = find('mariadb-install-db');
  const client = find('mariadb');
  const binlog = find('mariadb-binlog');
  if (server === null || installDb === null || client === null || binlog === null) return null;
  const { stdout } = await run(server, ['--version']);
  return { server, installDb, client, binlog, version: /Ver (\S+?-MariaDB)/.exec(stdout)?.[1] ?? 'unknown' };
}

async function aptGet(args: readonly string[]): Promise<void> {
  await run('apt-get', [...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: INSTALL_DEADLINE_MS,
    maxBuffer: 64 * 1024 * 1024,
  });
}

async function installWithApt(): Promise<void> {
  const install = ['install', '-y', '-qq', '--no-install-recommends', ...DEBIAN_PACKAGES];
  try {
    await aptGet(install);
  } catch {
    // Package lists that are empty or old make the first try fail.
    await aptGet(['update', '-qq']);
    await aptGet(install);
  }
}

/**
 * Finds MariaDB's programs, or installs them from the packages of Debian or Ubuntu when this process is root. No service is
 * started and no data directory is made. Errors: UMBUS_SOURCE_UNREACHABLE, whose message says what to install.
 */
export async function ensureMariadb(progress: (line: string) => void = () => {}): Promise<MariadbPrograms> {
  const found = await findMariadb();
  if (found !== null) return found;
  const byHand = `Install MariaDB's server and client programs, on Debian and Ubuntu: sudo apt-get install --no-install-recommends ${DEBIAN_PACKAGES.join(' ')}.`;
  if (find('apt-get') === null || process.getuid?.() !== 0) {
    throw new UmbusError('UMBUS_SOURCE_UNREACHABLE', `There is no mariadbd on this machine. ${byHand}`);
  }
  progress(`Installing ${DEBIAN_PACKAGES.join(' and ')} with apt-get.`);
  try {
    await installWithApt();
  } catch (cause) {
    throw new UmbusError('UMBUS_SOURCE_UNREACHABLE', `apt-get failed: ${messageOf(cause)} ${byHand}`, {
      cause,
    });
  }
  const installed = await findMariadb();
  if (installed === null) {
    throw new UmbusError(
      'UMBUS_SOURCE_UNREACHABLE',
      `apt-get installed MariaDB, but its programs are not in PATH. ${byHand}`,
    );
  }
  return installed;
}

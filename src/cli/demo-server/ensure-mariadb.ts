import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ensurePrograms, findProgram } from './programs.ts';

const run = promisify(execFile);

/** Paths of MariaDB's programs. */
export interface MariadbPrograms {
  readonly server: string;
  readonly installDb: string;
  readonly client: string;
  readonly binlog: string;
  /** For example `10.11.19-MariaDB`. */
  readonly version: string;
}

async function findMariadb(): Promise<MariadbPrograms | null> {
  const server = findProgram('mariadbd');
  const installDb = findProgram('mariadb-install-db');
  const client = findProgram('mariadb');
  const binlog = findProgram('mariadb-binlog');
  if (server === null || installDb === null || client === null || binlog === null) return null;
  const { stdout } = await run(server, ['--version']);
  return { server, installDb, client, binlog, version: /Ver (\S+?-MariaDB)/.exec(stdout)?.[1] ?? 'unknown' };
}

/**
 * Finds MariaDB's programs, or installs them from the packages of Debian or Ubuntu when this process is root. No service is
 * started and no data directory is made. Errors: UMBUS_SOURCE_UNREACHABLE, whose message says what to install.
 */
export function ensureMariadb(progress: (line: string) => void = () => {}): Promise<MariadbPrograms> {
  return ensurePrograms(
    {
      find: findMariadb,
      title: 'MariaDB',
      program: 'mariadbd',
      // mariadbd and mariadb-install-db come with server-core, mariadb-binlog with the clients; neither starts a service.
      debianPackages: ['mariadb-server-core', 'mariadb-client'],
      byHand: "Install MariaDB's server and client programs",
      code: 'UMBUS_SOURCE_UNREACHABLE',
    },
    progress,
  );
}

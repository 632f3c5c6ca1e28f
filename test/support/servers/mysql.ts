import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cacheDir, cachedDirectory } from '../../../src/cli/demo-server/data-template.ts';
import {
  type DatabaseServer,
  type DatabaseServerOptions,
  startServer,
} from '../../../src/cli/demo-server/database-server.ts';
import { withInstallLock } from '../../../src/cli/demo-server/install-lock.ts';

const run = promisify(execFile);
const INSTALLER = fileURLToPath(new URL('./mysql-from-sid.sh', import.meta.url));
const INSTALLED = /^mysql-(\d+\.\d+\.\d+)$/;
const TEMPLATE_EDITION = 1;

/** An unpacked MySQL: the loader of its own C library runs its server. */
export interface MysqlProgram {
  readonly version: string;
  readonly loader: string;
  /** Arguments of the loader that start the server; settings follow. */
  readonly leadingArgs: readonly string[];
}

function programIn(directory: string, version: string): MysqlProgram {
  const root = join(directory, 'root');
  const libraries = join(root, 'usr/lib/x86_64-linux-gnu');
  return {
    version,
    loader: join(libraries, 'ld-linux-x86-64.so.2'),
    leadingArgs: [
      '--library-path',
      libraries,
      join(root, 'usr/sbin/mysqld'),
      '--no-defaults',
      `--basedir=${join(root, 'usr')}`,
      `--lc-messages-dir=${join(root, 'usr/share/mysql')}`,
      `--character-sets-dir=${join(root, 'usr/share/mysql/charsets')}`,
      `--plugin-dir=${join(root, 'usr/lib/mysql/plugin')}`,
      '--secure-file-priv=NULL',
      '--mysqlx=OFF',
      ...(process.getuid?.() === 0 ? ['--user=root'] : []),
    ],
  };
}

function installed(): MysqlProgram | null {
  if (!existsSync(cacheDir)) return null;
  for (const name of readdirSync(cacheDir)) {
    const version = INSTALLED.exec(name)?.[1];
    if (version !== undefined) return programIn(join(cacheDir, name), version);
  }
  return null;
}

async function install(): Promise<MysqlProgram> {
  const draft = await mkdtemp(join(cacheDir, 'mysql.draft-'));
  try {
    await run(INSTALLER, [draft], { timeout: 10 * 60_000, maxBuffer: 16 * 1024 * 1024 });
    const { loader, leadingArgs } = programIn(draft, '');
    const { stdout } = await run(loader, [...leadingArgs.slice(0, 3), '--version']);
    const version = /Ver (\d+\.\d+\.\d+)/.exec(stdout)?.[1];
    if (version === undefined) throw new Error(`The unpacked mysqld does not tell its version: ${stdout}`);
    const directory = join(cacheDir, `mysql-${version}`);
    await rename(draft, directory);
    return programIn(directory, version);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Finds the MySQL server in the cache, or unpacks it there. About 45 MB to download. Throws where that cannot be done. */
export async function ensureMysql(): Promise<MysqlProgram> {
  const found = installed();
  if (found !== null) return found;
  if (process.platform !== 'linux' || process.arch !== 'x64' || !existsSync('/usr/bin/apt-get')) {
    throw new Error('Tests on MySQL need Debian on x86-64, from whose sid suite MySQL is unpacked.');
  }
  return withInstallLock(join(cacheDir, 'mysql.lock'), async () => installed() ?? install());
}

function mysqlTemplate(program: MysqlProgram): Promise<string> {
  return cachedDirectory(`mysql-data-${program.version}-${TEMPLATE_EDITION}`, async dir => {
    const accounts = `${dir}.sql`;
    await writeFile(
      accounts,
      "CREATE USER root@'127.0.0.1' IDENTIFIED BY '';\nGRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;\n",
    );
    try {
      await run(program.loader, [
        ...program.leadingArgs,
        `--datadir=${dir}`,
        '--initialize-insecure',
        `--init-file=${accounts}`,
        '--innodb-redo-log-capacity=8M',
        '--innodb-data-file-path=ibdata1:5M:autoextend',
        '--disable-log-bin',
      ]);
    } finally {
      await rm(accounts, { force: true });
    }
    // Each copy makes a server_uuid of its own.
    await unlink(join(dir, 'auto.cnf'));
  });
}

/**
 * Starts a throw-away MySQL: row binlog with full row metadata, GTIDs on, TLS with certificates of its own, small buffers, root
 * without a password on 127.0.0.1. Disposing it kills it and removes its data.
 */
export async function startMysql(options: DatabaseServerOptions = {}): Promise<DatabaseServer> {
  const program = await ensureMysql();
  const template = await mysqlTemplate(program);
  return startServer(
    {
      flavor: 'mysql',
      program: program.loader,
      leadingArgs: program.leadingArgs,
      template,
      settings: [
        '--binlog-row-metadata=FULL',
        '--gtid-mode=ON',
        '--enforce-gtid-consistency=ON',
        '--max-allowed-packet=256M',
        '--performance-schema=OFF',
        '--innodb-data-file-path=ibdata1:5M:autoextend',
        '--innodb-redo-log-capacity=256M',
        '--innodb-buffer-pool-size=64M',
        '--innodb-dedicated-server=OFF',
        '--innodb-flush-log-at-trx-commit=2',
        '--sync-binlog=0',
      ],
    },
    options,
  );
}

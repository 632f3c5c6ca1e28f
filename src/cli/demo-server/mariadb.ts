import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { cachedDirectory } from './data-template.ts';
import { type DatabaseServer, type DatabaseServerOptions, startServer } from './database-server.ts';
import { ensureMariadb, type MariadbPrograms } from './ensure-mariadb.ts';

const run = promisify(execFile);

/** Changes when the template is made in another way. */
const TEMPLATE_EDITION = 1;

/** A server started as root must be told that this is meant. */
function asUser(): readonly string[] {
  return process.getuid?.() === 0 ? ['--user=root'] : [];
}

function mariadbTemplate(programs: MariadbPrograms): Promise<string> {
  return cachedDirectory(`mariadb-data-${programs.version}-${TEMPLATE_EDITION}`, async dir => {
    await run(programs.installDb, [
      '--no-defaults',
      `--datadir=${dir}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
      '--innodb-log-file-size=4M',
      '--innodb-data-file-path=ibdata1:4M:autoextend',
      '--innodb-autoextend-increment=1',
      ...asUser(),
    ]);
  });
}

/**
 * Starts a throw-away MariaDB: row binlog with full row metadata, small buffers, root without a password on 127.0.0.1.
 * Disposing it kills it and removes its data. Errors: UMBUS_SOURCE_UNREACHABLE when MariaDB is missing or does not start.
 */
export async function startMariadb(
  options: DatabaseServerOptions & { readonly progress?: (line: string) => void } = {},
): Promise<DatabaseServer> {
  const programs = await ensureMariadb(options.progress);
  const template = await mariadbTemplate(programs);
  return startServer(
    {
      flavor: 'mariadb',
      program: programs.server,
      leadingArgs: ['--no-defaults'],
      template,
      settings: [
        ...asUser(),
        '--binlog-format=ROW',
        '--binlog-row-metadata=FULL',
        '--binlog-row-image=FULL',
        '--character-set-server=utf8mb4',
        '--max-allowed-packet=256M',
        '--performance-schema=OFF',
        '--innodb-data-file-path=ibdata1:4M:autoextend',
        '--innodb-log-file-size=64M',
        '--innodb-buffer-pool-size=64M',
        '--key-buffer-size=1M',
        '--aria-pagecache-buffer-size=8M',
        // What a killed process wrote is in the page cache and survives it; only a power cut would need these.
        '--innodb-flush-log-at-trx-commit=2',
        '--sync-binlog=0',
      ],
    },
    options,
  );
}

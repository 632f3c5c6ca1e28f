import type { TestContext } from 'node:test';
import type { DatabaseServer, DatabaseServerOptions } from '../../src/cli/demo-server/database-server.ts';
import { startMariadb } from '../../src/cli/demo-server/mariadb.ts';
import { messageOf } from '../../src/core/errors.ts';
import { startMysql } from './servers/mysql.ts';

export type { DatabaseServer as Server, DatabaseServerOptions as ServerOptions };
export { startMariadb, startMysql };

/** The kinds of server that integration tests run on. */
export const serverKinds = ['mariadb', 'mysql'] as const;
/** One of {@link serverKinds}. */
export type ServerKindName = (typeof serverKinds)[number];

const starters = { mariadb: startMariadb, mysql: startMysql };

/**
 * Starts a server for a test, or says loudly that the test was skipped and gives null. With the environment variable CI set, a
 * server that is missing is a failure. The caller disposes the server: `await using`.
 */
export async function requireServer(
  test: Pick<TestContext, 'skip'>,
  kind: ServerKindName,
  options: DatabaseServerOptions = {},
): Promise<DatabaseServer | null> {
  try {
    return await starters[kind](options);
  } catch (error) {
    const ci = process.env['CI'];
    if (ci !== undefined && ci !== '' && ci !== 'false') throw error;
    console.error(`SKIPPED, NO ${kind.toUpperCase()} SERVER: ${messageOf(error)}`);
    test.skip(`no ${kind} server: ${messageOf(error)}`);
    return null;
  }
}

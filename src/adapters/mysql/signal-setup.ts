import { signalTableStatements } from '../../change/signal-tables.ts';
import { isUmbusError } from '../../core/errors.ts';
import { withSession } from './connect.ts';
import { currentAccount } from './doctor-account.ts';
import type { MysqlLogin } from './options.ts';

/** What became of umbus's own tables. */
export interface SignalSetup {
  /** Whether they are there now. */
  readonly made: boolean;
  /** Why not; '' when they are. */
  readonly reason: string;
  /** What somebody with more rights runs, without semicolons: the schema, the tables, and what the account needs on them. */
  readonly statements: readonly string[];
}

/** Makes umbus's own tables in a schema of the source, where the account may. Errors: UMBUS_SOURCE_UNREACHABLE, UMBUS_SOURCE_AUTH. */
export function setUpSignals(source: MysqlLogin, schema: string, signal?: AbortSignal): Promise<SignalSetup> {
  return withSession(source, signal, async session => {
    const { schema: database, heartbeat, watermark } = signalTableStatements(schema);
    const ddl = [database, heartbeat, watermark];
    const account = await currentAccount(session, source);
    const grant = `GRANT SELECT, INSERT, DELETE ON \`${schema.replaceAll('`', '``')}\`.* TO ${account}`;
    const statements = [...ddl, grant];
    try {
      for (const statement of ddl) await session.query(statement);
      return { made: true, reason: '', statements };
    } catch (error) {
      if (!isUmbusError(error) || error.code === 'UMBUS_SOURCE_UNREACHABLE') throw error;
      return { made: false, reason: error.message, statements };
    }
  });
}

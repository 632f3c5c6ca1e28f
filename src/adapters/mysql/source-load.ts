import type { SourceLoad } from '../../ports/source-load.ts';
import { KeptSession } from './kept-session.ts';
import type { MysqlLogin } from './options.ts';
import { replicaStatus } from './replica-status.ts';
import { readFacts, type ServerFacts, textOf } from './server-facts.ts';

/** Asks a server how busy it is, on a connection of its own, made when it is first asked. */
export function openSourceLoad(login: MysqlLogin): SourceLoad {
  let facts: ServerFacts | null = null;
  const kept = new KeptSession(login, async session => {
    facts = await readFacts(session);
  });
  return {
    read: () =>
      kept.use(async session => {
        const [row] = await session.query("SHOW GLOBAL STATUS LIKE 'Threads_running'");
        const threads = textOf(row, 'Value');
        // Read when the session was opened.
        const replica = facts === null ? null : await replicaStatus(session, facts);
        const behind = replica?.secondsBehind ?? null;
        return {
          threadsRunning: threads === '' ? null : Number(threads),
          replicationLagMs: behind === null ? null : behind * 1000,
        };
      }),
    [Symbol.asyncDispose]: () => kept[Symbol.asyncDispose](),
  };
}

import type { Check, Subscription } from './check.ts';
import { withSession } from './connect.ts';
import { checkClock, checkGrants, checkServerId, readReplicas } from './doctor-account.ts';
import { checkSettings } from './doctor-settings.ts';
import { checkSignals } from './doctor-signals.ts';
import { checkSubscription } from './doctor-tables.ts';
import type { MysqlSourceOptions } from './options.ts';
import { readFacts } from './server-facts.ts';

export type { Check, Subscription } from './check.ts';

/** What `examine` needs besides the source. */
export interface ExamineOptions extends Subscription {
  /** Our clock: milliseconds since 1970-01-01 UTC. */
  readonly now: () => number;
  readonly signal?: AbortSignal;
  /** Schema of umbus's own tables, of a line that beats; null or left out: they are not looked at. */
  readonly signals?: string | null;
}

/**
 * Looks, item by item, whether a server can be captured exactly: version, binlog settings, GTIDs, retention, grants, server id, clock,
 * and the tables subscribed to. Changes nothing; with `signals` it inserts a row that lines ignore, and deletes it. Errors: UMBUS_SOURCE_UNREACHABLE, UMBUS_SOURCE_AUTH when nobody answers; what an
 * answering server lacks is a check that is not ok.
 */
export function examine(source: MysqlSourceOptions, options: ExamineOptions): Promise<readonly Check[]> {
  return withSession(source, options.signal, async session => {
    const facts = await readFacts(session);
    const replicas = await readReplicas(session, facts);
    return [
      ...checkSettings(facts),
      ...(await checkGrants(session, facts, source, replicas)),
      checkServerId(facts, source, replicas),
      await checkClock(session, options.now),
      ...(await checkSubscription(session, source, options)),
      ...(options.signals == null ? [] : await checkSignals(session, facts, source, options.signals)),
    ];
  });
}

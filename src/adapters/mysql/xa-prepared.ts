import { setTimeout as delay } from 'node:timers/promises';
import { isUmbusError } from '../../core/errors.ts';
import type { SqlRow, SqlSession } from './connect.ts';
import type { KeptSession } from './kept-session.ts';

/** How long rows wait for a transaction that is prepared; one that stays so for longer is taken for left behind. */
const PATIENCE_MS = 10_000;
const LOOK_MS = 20;
/** MySQL's answer to an account without XA_RECOVER_ADMIN. */
const XAER_RMERR = 1401;

/**
 * The XA transactions that a server has prepared and not committed. Their changes are in the binlog from when they are prepared, and in the tables from when they are committed: rows that are read in between are older than
 * what the binlog has had.
 */
export class PreparedTransactions {
  readonly #asking: KeptSession;
  /** Nobody waits for these any more. */
  readonly #left = new Set<string>();
  /** Whether the account may ask for them. */
  #allowed = true;

  constructor(asking: KeptSession) {
    this.#asking = asking;
  }

  /** Waits until none is left of those that are prepared now, but for those that were waited for in vain. An account that may not ask does not wait. Errors: UMBUS_SOURCE_*; the signal's reason. */
  async untilOver(signal: AbortSignal): Promise<void> {
    let open = await this.#prepared();
    const until = performance.now() + PATIENCE_MS;
    while (open.size > 0) {
      signal.throwIfAborted();
      if (performance.now() > until) {
        for (const xid of open) this.#left.add(xid);
        return;
      }
      await delay(LOOK_MS);
      const now = await this.#prepared();
      open = new Set([...open].filter(xid => now.has(xid)));
    }
  }

  async #prepared(): Promise<Set<string>> {
    if (!this.#allowed) return new Set();
    const rows = await this.#asking.use(session => this.#recover(session));
    const now = new Set(rows.map(row => JSON.stringify(row)));
    for (const xid of this.#left) if (!now.has(xid)) this.#left.delete(xid);
    return new Set([...now].filter(xid => !this.#left.has(xid)));
  }

  async #recover(session: SqlSession): Promise<readonly SqlRow[]> {
    try {
      return await session.query('XA RECOVER');
    } catch (error) {
      if (!isUmbusError(error) || Number(error.details['errno']) !== XAER_RMERR) throw error;
      this.#allowed = false;
      return [];
    }
  }
}

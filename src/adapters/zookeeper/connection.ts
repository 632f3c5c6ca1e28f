import type { Buffer } from 'node:buffer';
import { type Client, CreateMode, type Stat } from 'node-zookeeper-client';
import type { Clock } from '../../ports/clock.ts';
import { closedError } from '../cell-coordination/limits.ts';
import { code, codeOf, passes, refusal, unreachable } from './errors.ts';
import { type Answer, Session } from './session.ts';

/** How long one call waits for a server. */
const PATIENCE_MS = 30_000;
/** Wait before a new session after one that could not be made, and before a request is sent again. */
const RETRY_MS = 100;

/** A node. `data` is null where the node holds none, as those that were made for the sake of a path below. */
export interface Node {
  readonly data: Buffer | null;
  /** Number of changes of the data. */
  readonly changes: number;
  /** Id of the transaction that changed the data last: grows over all nodes of the ensemble. */
  readonly mzxid: bigint;
  /** Id of the transaction that made the node. */
  readonly czxid: bigint;
}

/** How to reach an ensemble. */
export interface ConnectionOptions {
  readonly servers: readonly string[];
  readonly sessionTimeoutMs: number;
  readonly clock: Clock;
}

/** Sessions on an ensemble, one after the other, and requests that survive a lost connection. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #closed = new AbortController();
  readonly #waiting = new Set<() => void>();
  readonly #running: Promise<void>;
  #session: Session | null = null;
  #revision = 0n;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** Changes when something that was read with a watch may have changed. */
  get revision(): bigint {
    return this.#revision;
  }

  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** The session that was made, as soon as there is one. Errors: UMBUS_COORDINATION_UNREACHABLE, UMBUS_COORDINATION_CLOSED; the signal's reason. */
  async session(signal: AbortSignal = this.#closed.signal): Promise<Session> {
    const timer = new AbortController();
    const { clock, servers } = this.#options;
    let late = false;
    void clock.sleep(PATIENCE_MS, timer.signal).then(() => {
      late = !timer.signal.aborted;
      this.#wake();
    });
    try {
      for (;;) {
        if (this.#closed.signal.aborted) throw closedError();
        signal.throwIfAborted();
        const session = this.#session;
        if (session?.wasReady === true && !session.over.aborted) return session;
        if (late) throw unreachable(servers, session?.over.reason ?? null);
        await this.#woken(signal);
      }
    } finally {
      timer.abort();
    }
  }

  /** Resolves when the revision is not `since`, or the signal aborts. */
  async changed(since: bigint, signal: AbortSignal): Promise<void> {
    while (this.#revision === since && !signal.aborted && !this.#closed.signal.aborted) {
      await this.#woken(signal);
    }
  }

  /** Null when there is no such node; with `watch`, a later change of it counts up the revision. */
  async node(path: string, watch = false): Promise<Node | null> {
    const read = await this.#repeat(path, [code.noNode], (client, answer: Answer<Node | null>) => {
      const done = (error: unknown, data: Buffer | undefined, stat: Stat): void =>
        answer(error, error ? null : nodeOf(data ?? null, stat));
      if (watch) client.getData(path, this.#notice, done);
      else client.getData(path, done);
    });
    if (read !== null || !watch) return read;
    return (await this.#awaited(path)) ? await this.node(path, watch) : null;
  }

  /** Names of the nodes below; [] when there is no such node. With `watch` as {@link node}. */
  async children(path: string, watch = false): Promise<readonly string[]> {
    const names = await this.#repeat(path, [code.noNode], (client, answer: Answer<string[]>) => {
      const done = (error: unknown, found: string[]): void => answer(error, found);
      if (watch) client.getChildren(path, this.#notice, done);
      else client.getChildren(path, done);
    });
    return names ?? [];
  }

  /** Makes a node without data, and those above it, unless they are there. */
  async ensure(path: string): Promise<void> {
    const make = (): Promise<string | null> =>
      this.#repeat(path, [code.nodeExists, code.noNode], (client, answer: Answer<string>) =>
        client.create(path, CreateMode.PERSISTENT, answer),
      );
    if ((await this.node(path)) !== null) return;
    const above = path.slice(0, path.lastIndexOf('/'));
    if (above !== '') await this.ensure(above);
    await make();
  }

  /** Removes a node. False when there is none. */
  async remove(path: string): Promise<boolean> {
    const removed = await this.#repeat(path, [code.noNode], (client, answer: Answer<boolean>) =>
      client.remove(path, error => answer(error, true)),
    );
    return removed ?? false;
  }

  /** Sends a request once. Errors: UMBUS_COORDINATION_* for refusals; those that `expected` names and {@link passes} tells as they are. */
  async once<T>(
    path: string,
    expected: readonly number[],
    send: (client: Client, answer: Answer<T>) => void,
    session?: Session,
  ): Promise<T> {
    try {
      return await (session ?? (await this.session())).call(send);
    } catch (error) {
      const found = codeOf(error);
      if (found === null || passes(error) || expected.includes(found)) throw error;
      throw refusal(path, error);
    }
  }

  /** Waits a little before a request is sent again. */
  async pause(): Promise<void> {
    await this.#options.clock.sleep(RETRY_MS, this.#closed.signal);
  }

  /** Ends the session on the server too. */
  async close(): Promise<void> {
    const session = this.#session;
    this.#closed.abort();
    await session?.close();
    this.#wake();
    await this.#running;
  }

  /** Stops as a process does that dies. For tests. */
  async abandon(): Promise<void> {
    this.#closed.abort();
    this.#session?.end('its process has died');
    this.#wake();
    await this.#running;
  }

  readonly #notice = (): void => {
    this.#revision += 1n;
    this.#wake();
  };

  /** Whether the node is there now; if not, its making counts up the revision. */
  async #awaited(path: string): Promise<boolean> {
    const there = await this.#repeat(path, [], (client, answer: Answer<boolean>) =>
      client.exists(path, this.#notice, (error, stat: Stat | null) => answer(error, stat !== null)),
    );
    return there ?? false;
  }

  /** For requests that may be done twice. Null for the refusals of `none`. */
  async #repeat<T>(
    path: string,
    none: readonly number[],
    send: (client: Client, answer: Answer<T>) => void,
  ): Promise<T | null> {
    for (;;) {
      try {
        return await this.once(path, none, send);
      } catch (error) {
        const found = codeOf(error);
        if (found !== null && none.includes(found)) return null;
        if (!passes(error)) throw error;
        await this.pause();
      }
    }
  }

  async #run(): Promise<void> {
    const { servers, sessionTimeoutMs, clock } = this.#options;
    const { signal } = this.#closed;
    while (!signal.aborted) {
      const session = new Session(servers, sessionTimeoutMs, clock, { connected: this.#notice });
      this.#session = session;
      await ended(session.over);
      this.#notice();
      if (!session.wasReady) await clock.sleep(RETRY_MS, signal);
    }
  }

  async #woken(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => resolve();
    this.#waiting.add(wake);
    signal.addEventListener('abort', wake, { once: true });
    if (!signal.aborted) await promise;
    signal.removeEventListener('abort', wake);
    this.#waiting.delete(wake);
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function nodeOf(data: Buffer | null, stat: Stat): Node {
  return {
    data,
    changes: stat.version,
    mzxid: stat.mzxid.readBigInt64BE(),
    czxid: stat.czxid.readBigInt64BE(),
  };
}

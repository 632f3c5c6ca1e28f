import type { Clock } from '../../ports/clock.ts';
import type {
  CellChange,
  Coordination,
  Lease,
  LeaseHolder,
  Member,
  Versioned,
} from '../../ports/coordination.ts';
import type { HeldLease } from '../cell-coordination/held-lease.ts';
import { assertPath, assertPrefix, assertValue, closedError, conflict } from '../cell-coordination/limits.ts';
import { ProgressNotes } from '../cell-coordination/progress-notes.ts';
import { watchCells } from '../cell-coordination/watch-cells.ts';
import { Connection } from './connection.ts';
import { NodeCells, OWN_NODE } from './node-cells.ts';
import { holderOf, queueFor } from './node-lease.ts';
import { showMember, shownMembers } from './node-member.ts';

export interface ZookeeperOptions {
  /** `host:port`, at least one. */
  readonly servers: readonly string[];
  /** Path below which all nodes lie, such as `/umbus`; made when it is missing. A cell's path is its node's below the root. */
  readonly root: string;
  /** After so long without a sign the server takes a process for dead, and its leases go to the next. The server may grant another. */
  readonly sessionTimeoutMs: number;
  readonly clock: Clock;
}

/** Opens coordination on a ZooKeeper ensemble. Errors: UMBUS_COORDINATION_UNREACHABLE, UMBUS_COORDINATION_REFUSED. */
export async function openZookeeperCoordination(options: ZookeeperOptions): Promise<ZookeeperCoordination> {
  const root = options.root === '/' ? '' : options.root;
  const connection = new Connection(options);
  try {
    await connection.ensure(`${root}/${OWN_NODE}`);
  } catch (error) {
    await connection.close();
    throw error;
  }
  return new ZookeeperCoordination(connection, root, options.clock);
}

/** Coordination on ZooKeeper: leases and members are ephemeral nodes, cells are plain ones. The `ttlMs` of a lease is the session timeout here. */
export class ZookeeperCoordination implements Coordination {
  readonly #connection: Connection;
  readonly #cells: NodeCells;
  readonly #leasePlace: string;
  readonly #memberPlace: string;
  readonly #closing = new AbortController();
  readonly #leases = new Set<HeldLease>();
  readonly #progress: ProgressNotes;
  #closed: Promise<void> | null = null;

  /** Owns the connection from now on. */
  constructor(connection: Connection, root: string, clock: Clock) {
    this.#connection = connection;
    this.#cells = new NodeCells(connection, root);
    this.#leasePlace = `${root}/${OWN_NODE}/leases`;
    this.#memberPlace = `${root}/${OWN_NODE}/members`;
    this.#progress = new ProgressNotes(clock, async (path, value) => {
      await this.#cells.write(path, value, null);
    });
  }

  async lease(
    name: string,
    options: { readonly holder: string; readonly ttlMs: number; readonly signal: AbortSignal },
  ): Promise<Lease> {
    assertPath(name);
    this.#assertOpen();
    const { holder, signal } = options;
    const lease = await queueFor({
      connection: this.#connection,
      place: `${this.#leasePlace}/${encodeURIComponent(name)}`,
      name,
      holder,
      signal: AbortSignal.any([signal, this.#closing.signal]),
    });
    if (signal.aborted || this.#closing.signal.aborted) {
      await lease.release();
      signal.throwIfAborted();
      throw closedError();
    }
    this.#leases.add(lease);
    lease.lost.addEventListener('abort', () => this.#leases.delete(lease), { once: true });
    return lease;
  }

  async leases(): Promise<readonly LeaseHolder[]> {
    this.#assertOpen();
    const names = [...(await this.#connection.children(this.#leasePlace))].sort();
    const holders = await Promise.all(
      names.map(name => holderOf(this.#connection, `${this.#leasePlace}/${name}`, decodeURIComponent(name))),
    );
    return holders.flatMap(holder => holder ?? []);
  }

  async announce(member: Member): Promise<AsyncDisposable> {
    assertPath(member.id);
    this.#assertOpen();
    return await showMember(this.#connection, this.#memberPlace, member);
  }

  async members(): Promise<readonly Member[]> {
    this.#assertOpen();
    return await shownMembers(this.#connection, this.#memberPlace);
  }

  async get(path: string): Promise<Versioned | null> {
    assertPath(path);
    this.#assertOpen();
    return await this.#cells.read(path);
  }

  async list(prefix: string): Promise<readonly Versioned[]> {
    assertPrefix(prefix);
    this.#assertOpen();
    return await this.#cells.readAll(prefix);
  }

  async put(path: string, value: Uint8Array, options?: { readonly ifVersion: bigint }): Promise<bigint> {
    assertPath(path);
    assertValue(path, value);
    return await this.#write(path, value, options?.ifVersion ?? null);
  }

  async remove(path: string, options?: { readonly ifVersion: bigint }): Promise<void> {
    assertPath(path);
    await this.#write(path, null, options?.ifVersion ?? null);
  }

  watch(prefix: string, signal: AbortSignal): AsyncIterable<CellChange> {
    assertPrefix(prefix);
    this.#assertOpen();
    const watchable = {
      readAll: (within: string) => this.#cells.readAll(within, true),
      revision: () => this.#connection.revision,
      changed: (since: bigint, until: AbortSignal) => this.#connection.changed(since, until),
    };
    return watchCells(watchable, prefix, AbortSignal.any([signal, this.#closing.signal]));
  }

  progress(path: string, value: Uint8Array): void {
    assertPath(path);
    assertValue(path, value);
    this.#progress.note(path, value);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** Stops as a process does that dies: its session is not closed. For tests. */
  async abandon(): Promise<void> {
    this.#closing.abort(closedError());
    await this.#connection.abandon();
  }

  async #close(): Promise<void> {
    this.#closing.abort(closedError());
    for (const lease of [...this.#leases]) lease.lose('coordination was closed');
    await this.#progress.close();
    // The server frees leases and members with the session.
    await this.#connection.close();
  }

  async #write(path: string, value: Uint8Array | null, ifVersion: bigint | null): Promise<bigint> {
    this.#assertOpen();
    const result = await this.#cells.write(path, value, ifVersion);
    if (result.done) return result.version;
    // Removing what is not there is done already.
    if (value === null && result.found === 0n) return 0n;
    throw conflict(path, ifVersion, result.found);
  }

  #assertOpen(): void {
    if (this.#closing.signal.aborted) throw closedError();
  }
}

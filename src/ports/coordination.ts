/**
 * What several processes of a line agree on: who does a job that only one may do, who is alive, shared config, and how far long jobs are. Adapters: embedded (LMDB beside
 * the log), the log itself, ZooKeeper, memory. Every adapter passes test/conformance/coordination.ts.
 */

/** A job that this process, and no other, may do. */
export interface Lease {
  readonly name: string;
  /** Greater than that of every earlier holder of the name: what a resource compares to refuse a late one. */
  readonly token: bigint;
  /** Aborted as soon as the lease can no longer be proven, which is before another can hold it. Reason: an UmbusError. */
  readonly lost: AbortSignal;
  /** Gives it up at once, and aborts `lost`. Never throws. */
  release(): Promise<void>;
}

/** A holder as others see it. */
export interface LeaseHolder {
  readonly name: string;
  /** What the holder said of itself, such as `host:pid`. */
  readonly holder: string;
  readonly token: bigint;
}

/** A value with its version. */
export interface Versioned {
  /** Parts between single slashes, without a leading one; at most 1,000 bytes of UTF-8. Names of leases and ids of members have the same form. */
  readonly path: string;
  readonly value: Uint8Array;
  /** At least 1; grows with every change of this path, also over a removal. */
  readonly version: bigint;
}

/** A change that a watch tells. */
export type CellChange =
  | Versioned
  | { readonly path: string; readonly value: null; readonly version: bigint };

/** A live process. */
export interface Member {
  readonly id: string;
  /** What it said of itself. */
  readonly info: Readonly<Record<string, string>>;
}

export interface Coordination extends AsyncDisposable {
  /**
   * Waits until this process holds `name`, or `signal` aborts (rejects with its reason). `holder` is shown to others. A holder that dies is succeeded within `ttlMs` and
   * a poll; where the service watches its clients itself, within the time that it was given for that. All contenders of a name give the same `ttlMs`.
   * Errors: UMBUS_COORDINATION_UNREACHABLE once the service is gone for good (the adapter retries what passes), UMBUS_COORDINATION_REFUSED, UMBUS_COORDINATION_CLOSED.
   */
  lease(
    name: string,
    options: { readonly holder: string; readonly ttlMs: number; readonly signal: AbortSignal },
  ): Promise<Lease>;
  /** Who holds which lease now, by name. For people: one that has just died may still be among them. */
  leases(): Promise<readonly LeaseHolder[]>;

  /** Shows this process as alive until disposed or dead. Ids are unique: a second one with the same id takes the place of the first. */
  announce(member: Member): Promise<AsyncDisposable>;
  /** By id. A dead one goes within half a minute. */
  members(): Promise<readonly Member[]>;

  /** Null where there is nothing. */
  get(path: string): Promise<Versioned | null>;
  /** All at or below `prefix`, by path. */
  list(prefix: string): Promise<readonly Versioned[]>;
  /**
   * Writes, and gives the new version. With `ifVersion`, only when the path has that version now (0n: does not exist). At most 512 KB.
   * Errors: UMBUS_COORDINATION_CONFLICT with the version found, UMBUS_COORDINATION_REFUSED, UMBUS_COORDINATION_UNREACHABLE.
   */
  put(path: string, value: Uint8Array, options?: { readonly ifVersion: bigint }): Promise<bigint>;
  /** As {@link put}; removing what is not there does nothing. */
  remove(path: string, options?: { readonly ifVersion: bigint }): Promise<void>;
  /**
   * First all that is at or below `prefix`, then its changes in order of their versions a path. Values between two that come may be left out; the last one never is.
   * Ends when `signal` aborts or coordination is closed.
   */
  watch(prefix: string, signal: AbortSignal): AsyncIterable<CellChange>;

  /**
   * Notes how far a job is: the last value wins, at most about one write a second a path, and a value may be lost in a crash. Read with {@link get}. A path is written
   * either so or by `put`. Throws UMBUS_COORDINATION_REFUSED for a path or a value that no cell can have, and nothing else.
   */
  progress(path: string, value: Uint8Array): void;
}

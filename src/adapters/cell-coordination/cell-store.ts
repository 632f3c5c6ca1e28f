/** Cells with versions, shared by processes: what {@link CellCoordination} is built on. */

/** A cell that exists. */
export interface Cell {
  readonly path: string;
  readonly value: Uint8Array;
  /** Greater than that of every earlier change of the path, also over a removal. */
  readonly version: bigint;
}

/** Whether a conditional write was done. `found`: the version that stood in its way, 0n when there was no cell. */
export type WriteResult =
  | { readonly done: true; readonly version: bigint }
  | { readonly done: false; readonly found: bigint };

/**
 * A store of cells. Writes of one path are in one order for all processes, and a read sees every write that was done before it was called.
 * Errors of all calls: UMBUS_COORDINATION_UNREACHABLE, UMBUS_COORDINATION_CLOSED, and those of what lies below.
 */
export interface CellStore extends AsyncDisposable {
  /** Null when there is none. */
  read(path: string): Promise<Cell | null>;
  /** All at or below `prefix`, by path; '' is above everything. */
  readAll(prefix: string): Promise<readonly Cell[]>;
  /** Writes, or removes with a null value. With `ifVersion`, only if the cell has that version (0n: there is none). */
  write(path: string, value: Uint8Array | null, ifVersion: bigint | null): Promise<WriteResult>;
  /** As an unconditional write, for paths that nobody writes with a condition: the store may do it in a cheaper way. */
  note(path: string, value: Uint8Array | null): Promise<void>;
  /** Differs whenever something has changed that this process can see. */
  revision(): bigint;
  /** Resolves once the revision is not `since` any more, or the signal aborts. May resolve too early. */
  changed(since: bigint, signal: AbortSignal): Promise<void>;
  /** What others need to find out that this process is dead; null where they cannot. */
  readonly self: string | null;
  /** Whether the process that described itself so is surely dead. */
  isDead(self: string): boolean;
}

/** Whether `path` is `prefix` or below it. */
export function isWithin(path: string, prefix: string): boolean {
  return prefix === '' || path === prefix || path.startsWith(`${prefix}/`);
}

/** Order of paths: by UTF-16 code units. */
export function byPath(one: { readonly path: string }, other: { readonly path: string }): number {
  return one.path < other.path ? -1 : one.path > other.path ? 1 : 0;
}

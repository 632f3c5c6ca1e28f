import type { UmbusError } from '../../core/errors.ts';
import type { Environment } from './environment.ts';
import { OWNER_KEY, ownershipLost } from './owner.ts';
import type { SpaceGuard } from './space-guard.ts';

/** Upper bound of what one transaction takes, unless a single commit is larger. */
const GROUP_BYTES = 16 * 1_048_576;

/** One change of the store. All of it becomes durable, or none. */
export interface Change {
  /** Bytes it will add, for the space check; 0 for changes that make space and must always go through. */
  readonly bytes: number;
  /** Called in order, right before the change is written; throws to drop it. */
  readonly guard: () => void;
  /** Puts and removes rows. Rows that several changes of a group write anew can be left to `finish`. */
  readonly apply: (group: Group) => void;
  /** Called once the change is durable, in order. */
  readonly publish: () => void;
  /** Called once, and at once, when the change is dropped or failed: before the guard of any later one runs. */
  readonly failed: (error: UmbusError) => void;
}

/** Changes that share a transaction. */
export interface Group {
  /** Writes a row once at the end of the group, however often it was asked for: the last action for a key counts. */
  finish(key: unknown, action: () => void): void;
  /** Called when the transaction failed. */
  onFailure(key: unknown, action: () => void): void;
  /** Called after everything of the group is published. */
  afterwards(key: unknown, action: () => void): void;
}

interface Waiting {
  readonly change: Change;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Applies changes in call order, one transaction at a time. Whatever is asked for while a transaction is being made durable goes into the next one
 * together, so commits of several tasks share one fdatasync and nobody waits for the sake of grouping. The library
 * copies the rows and syncs on a thread of its own.
 */
export class CommitQueue {
  readonly #environment: Environment;
  readonly #token: number;
  readonly #space: SpaceGuard;
  #waiting: Waiting[] = [];
  #running: Promise<void> | null = null;

  constructor(environment: Environment, token: number, space: SpaceGuard) {
    this.#environment = environment;
    this.#token = token;
    this.#space = space;
  }

  /** Resolves when the change is durable and published. Errors: what its guard throws, UMBUS_LOG_FULL, UMBUS_LOG_IO, UMBUS_LOG_LOCKED. */
  submit(change: Change): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ change, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when nothing is waiting or being written. */
  async drained(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  async #run(): Promise<void> {
    // Changes asked for in the same turn of the event loop go together.
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#commitGroup(this.#takeGroup());
    this.#running = null;
  }

  #takeGroup(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { change } of this.#waiting) {
      if (count > 0 && bytes + change.bytes > GROUP_BYTES) break;
      bytes += change.bytes;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #commitGroup(taken: readonly Waiting[]): Promise<void> {
    const group = taken.filter(waiting => this.#admits(waiting));
    if (group.length === 0) return;
    const actions = new GroupActions();
    try {
      const { control } = this.#environment;
      const applied = await control.ifVersion(OWNER_KEY, this.#token, () => {
        for (const { change } of group) change.apply(actions);
        actions.runFinish();
      });
      if (!applied) throw ownershipLost(this.#environment);
    } catch (error) {
      actions.runFailure();
      const cause = this.#space.explain(await underlying(error));
      for (const waiting of group) drop(waiting, cause);
      return;
    }
    for (const { change } of group) change.publish();
    for (const { resolve } of group) resolve();
    actions.runAfterwards();
  }

  #admits(waiting: Waiting): boolean {
    const { change } = waiting;
    try {
      change.guard();
      if (change.bytes > 0) this.#space.reserve(change.bytes);
      return true;
    } catch (error) {
      drop(waiting, this.#space.explain(error));
      return false;
    }
  }
}

function drop({ change, reject }: Waiting, error: UmbusError): void {
  change.failed(error);
  reject(error);
}

class GroupActions implements Group {
  readonly #finish = new Map<unknown, () => void>();
  readonly #failure = new Map<unknown, () => void>();
  readonly #afterwards = new Map<unknown, () => void>();

  finish(key: unknown, action: () => void): void {
    this.#finish.set(key, action);
  }

  onFailure(key: unknown, action: () => void): void {
    this.#failure.set(key, action);
  }

  afterwards(key: unknown, action: () => void): void {
    this.#afterwards.set(key, action);
  }

  runFinish(): void {
    for (const action of this.#finish.values()) action();
  }

  runFailure(): void {
    for (const action of this.#failure.values()) action();
  }

  runAfterwards(): void {
    for (const action of this.#afterwards.values()) action();
  }
}

/** The library rejects with a general error whose `commitError` is a promise that rejects with the real one. */
async function underlying(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !('commitError' in error)) return error;
  try {
    await error.commitError;
    return error;
  } catch (cause) {
    return cause;
  }
}

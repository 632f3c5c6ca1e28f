import type { PullAnswer, PullFailure, PullSignal } from '../change/pull-signal.ts';
import type { OpenStores } from '../topology/types.ts';
import { Holding } from './append-holding.ts';
import { type AppendOptions, DEFAULT_CHANGED_KEYS, DEFAULT_HELD_BYTES } from './append-options.ts';
import { PullBatches } from './append-pull-batches.ts';
import type { PullStores } from './append-pull-stores.ts';
import { PullWindows, type ShardSignal } from './append-pull-windows.ts';
import type { TablePart } from './append-table.ts';
import { CANCELLED, notPublished, OVER, parked, running } from './pull-failures.ts';
import { PullLedger } from './pull-ledger.ts';
import {
  doneCount,
  isDone,
  MIXED,
  newPull,
  type PullState,
  type PullWindow,
  type WindowPlace,
  withDone,
} from './pull-state.ts';

/** What pulls made of a record. */
export interface PullResult {
  readonly answers: readonly PullAnswer[];
  /** Writes what changed into the stores. */
  commit(): void;
}

/**
 * The pulls of the tables of one task, while one record is processed: does what watermarks say, and takes pages into account.
 * Reads the stores, and writes them in {@link PullResult.commit} alone.
 */
export class PullDesk {
  readonly #ds: string;
  readonly #ledger: PullLedger;
  readonly #batches: PullBatches;
  /** Where shards are read, and which keys change meanwhile. */
  readonly windows: PullWindows;
  /** The messages that wait for the end of a pull. */
  readonly holding: Holding;

  constructor(
    options: Pick<AppendOptions, 'ds' | 'heldBytes' | 'changedKeys'>,
    { pulls, changed, held }: OpenStores<PullStores>,
  ) {
    const { ds, heldBytes = DEFAULT_HELD_BYTES, changedKeys = DEFAULT_CHANGED_KEYS } = options;
    this.#ds = ds;
    this.#ledger = new PullLedger(pulls);
    this.windows = new PullWindows(this.#ledger, changed, changedKeys);
    this.holding = new Holding(this.#ledger, held, heldBytes);
    this.#batches = new PullBatches(ds, this.#ledger, this.windows, this.holding);
  }

  /** The pull of a table as it is now. */
  stateOf(key: string): PullState | undefined {
    return this.#ledger.get(key);
  }

  /** Whether a table is being pulled. */
  isOpen(key: string): boolean {
    return this.stateOf(key)?.phase === 'open';
  }

  /** All of a record's events of a table have passed: ends a pull for which too much waits, or what waits is of another version, and one that reads a table that is parked. */
  passed(key: string, part: TablePart): void {
    const overdue = this.holding.overdue(key, part);
    if (overdue !== null) this.abort(key, part, overdue.at, overdue.failure);
    if (!part.isParked) return;
    // Which keys change is not known any more, and a replay would publish them before pages that are older.
    const [window] = this.stateOf(key)?.windows ?? [];
    if (window !== undefined) this.abort(key, part, window.low, parked(key));
  }

  /** Takes a watermark. `part`: the table; null when it is not published. */
  signal(signal: PullSignal, at: WindowPlace, key: string, part: TablePart | null): void {
    const state = this.stateOf(key);
    if (signal.kind === 'place') this.#place(signal, part, at);
    else if (signal.kind === 'begin') this.#begin(signal, key, part, at);
    else if (state?.pull !== signal.pull || state.phase !== 'open') this.#late(signal, state);
    else if (signal.kind === 'cancel') this.abort(key, part, at, CANCELLED);
    else if (signal.kind === 'low') this.#low(state, signal, key, part, at);
    else this.#high(state, signal, key, part, at);
  }

  #begin(
    signal: PullSignal & { readonly kind: 'begin' },
    key: string,
    part: TablePart | null,
    at: WindowPlace,
  ): void {
    const before = this.stateOf(key);
    const { pull, whole, hold } = signal;
    if (before?.pull === pull) {
      // Told again, by a splitter that did not know whether it had.
      this.#ledger.answer(signal, { kind: 'begun', batchId: before.batchId });
      return;
    }
    if (part === null) {
      this.#ledger.answer(signal, { kind: 'aborted', failure: notPublished(key, this.#ds) });
      return;
    }
    if (before?.phase === 'open') {
      this.#ledger.answer(signal, { kind: 'aborted', failure: running(key, before.pull) });
      return;
    }
    const batchId = (before?.batchId ?? 0) + 1;
    this.#ledger.set(key, { ...newPull(pull, batchId, whole), ...(hold !== undefined && { hold }) });
    this.#batches.begin(key, part, at);
    if (hold === 'begin') this.holding.begin(key, part, at);
    this.#ledger.answer(signal, { kind: 'begun', batchId });
  }

  #place(signal: PullSignal & { readonly kind: 'place' }, part: TablePart | null, at: WindowPlace): void {
    const { token } = signal;
    if (part === null) this.#ledger.answer(signal, { kind: 'placed', token, place: null });
    else {
      const { version, innerVersion, batch: batchId = 0 } = part.settled();
      // Before the first columns of a table the copy shows those of the first version.
      const place = { at, version, innerVersion: Math.max(0, innerVersion), batchId };
      this.#ledger.answer(signal, { kind: 'placed', token, place });
    }
  }

  #low(state: PullState, signal: ShardSignal, key: string, part: TablePart | null, at: WindowPlace): void {
    if (state.hold === 'rows' && !isDone(state, signal.shard)) this.#batches.beginAnew(key, part, at);
    if (signal.last === true) this.#ledger.update(key, { shards: signal.shard + 1 });
    this.windows.open(signal, key, at, part?.version ?? 0);
  }

  #high(state: PullState, signal: ShardSignal, key: string, part: TablePart | null, at: WindowPlace): void {
    const holds = state.hold === 'rows';
    if (!this.windows.passed(signal, key, at, holds ? (part?.version ?? -1) : null)) return;
    if (holds) this.holding.begin(key, part, at);
  }

  /** A page went out. `next`: as its head has it; `rows`: those published. */
  paged(
    key: string,
    { token, shard }: PullWindow,
    next: string | null,
    rows: number,
    part: TablePart,
    at: WindowPlace,
  ): void {
    const before = this.stateOf(key);
    if (before === undefined) return;
    const whole = next === null;
    const { [shard]: _, ...others } = before.next;
    const state: PullState = {
      ...before,
      rows: before.rows + rows,
      next: whole ? others : { ...others, [shard]: next },
      done: whole ? withDone(before.done, shard) : before.done,
      windows: whole
        ? before.windows.filter(each => each.token !== token)
        : before.windows.map(each => (each.token === token ? { ...each, page: each.page + 1 } : each)),
    };
    this.#ledger.set(key, state);
    const done = doneCount(state);
    this.#ledger.tell(key, state, { kind: 'page', token, shard, rows: state.rows, done, whole });
    if (!whole) return;
    this.windows.closed(key);
    this.#batches.endIfWhole(key, part, at);
  }

  /** Notes the columns that the rows of a pull have. */
  hasColumns(key: string, columns: PullState['columns']): void {
    this.#ledger.update(key, { columns });
  }

  /** Notes what rows that are published, or change, are told apart by: keys that are made of other columns, or masked otherwise, cannot be compared. */
  keyed(key: string, keyedBy: string): void {
    const state = this.stateOf(key);
    if (state === undefined || state.keyedBy === keyedBy) return;
    this.#ledger.set(key, { ...state, keyedBy: state.keyedBy === null ? keyedBy : MIXED });
  }

  /** Ends a pull that cannot go on; nothing when it is over. `part`: as {@link signal}. */
  abort(key: string, part: TablePart | null, at: WindowPlace, failure: PullFailure): void {
    this.#batches.abort(key, part, at, failure);
  }

  /** Answers a signal of a pull that is not open: somebody who was given up for dead goes on, or was told nothing. */
  #late(signal: PullSignal, state: PullState | undefined): void {
    if (signal.kind !== 'low' && signal.kind !== 'high') return;
    const { shard, token } = signal;
    if (state?.pull !== signal.pull) this.#ledger.answer(signal, { kind: 'aborted', failure: OVER });
    else if (state.failure !== null) this.#ledger.answer(signal, { kind: 'aborted', failure: state.failure });
    else {
      const { rows, shards, batchId } = state;
      this.#ledger.answer(signal, { kind: 'known', token, shard });
      // Whoever was to note the end may have died before it did.
      if (shards !== null) this.#ledger.answer(signal, { kind: 'ended', rows, shards, batchId });
    }
  }

  finish(): PullResult {
    return { answers: this.#ledger.answers, commit: () => this.#commit() };
  }

  #commit(): void {
    this.windows.commit();
    this.holding.commit();
    this.#ledger.commit();
  }
}

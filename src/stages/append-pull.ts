import { Buffer } from 'node:buffer';
import type { PullAnswer, PullFailure, PullPlace, PullSignal } from '../change/pull-signal.ts';
import type { OpenStores, Store } from '../topology/types.ts';
import { batchMessage, messageKey } from '../ums/message.ts';
import { pullTopicOf } from '../ums/namespace.ts';
import type { UmsBatch } from '../ums/types.ts';
import { Holding } from './append-holding.ts';
import { type AppendOptions, type AppendOutput, DEFAULT_HELD_BYTES } from './append-options.ts';
import type { PullStores } from './append-pull-stores.ts';
import type { TablePart } from './append-table.ts';
import { ChangedKeys } from './changed-keys.ts';
import { CANCELLED, CLOSED, notPublished, OVER, running } from './pull-failures.ts';
import {
  doneCount,
  isDone,
  MAX_CHANGED,
  MIXED,
  newPull,
  type PullState,
  type PullWindow,
  placeText,
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
 * The pulls of the tables of one task, while one record is processed: follows their watermarks, remembers which keys change within a window, holds messages back, and says which rows of a page go out.
 * Reads the stores, and writes them in {@link PullResult.commit} alone.
 */
export class PullDesk {
  readonly #pulls: Store<string, PullState>;
  readonly #now = new Map<string, PullState>();
  readonly #keys: ChangedKeys;
  /** The messages that wait for the end of a pull. */
  readonly holding: Holding;
  readonly #answers: PullAnswer[] = [];
  readonly #ds: string;

  constructor(
    { ds, heldBytes = DEFAULT_HELD_BYTES }: Pick<AppendOptions, 'ds' | 'heldBytes'>,
    stores: OpenStores<PullStores>,
  ) {
    this.#ds = ds;
    this.#pulls = stores.pulls;
    this.#keys = new ChangedKeys(stores.changed);
    const states = {
      get: (key: string) => this.stateOf(key),
      set: (key: string, state: PullState) => this.#set(key, state),
    };
    this.holding = new Holding(states, stores.held, heldBytes);
  }

  /** The pull of a table as it is now. */
  stateOf(key: string): PullState | undefined {
    return this.#now.get(key) ?? this.#pulls.get(key);
  }

  /** Whether a table is being pulled. */
  isOpen(key: string): boolean {
    return this.stateOf(key)?.phase === 'open';
  }

  /** Whether changes of a table are to be told. */
  watches(key: string): boolean {
    const state = this.stateOf(key);
    return state !== undefined && state.windows.length > 0 && state.held === null;
  }

  /** All of a record's events of a table have passed: ends a pull for which too much waits, or what waits is of another version. */
  passed(key: string, part: TablePart): void {
    const overdue = this.holding.overdue(key, part);
    if (overdue !== null) this.abort(key, part, overdue.at, overdue.failure);
  }

  /** Takes a watermark. `part`: the table; null when it is not published. */
  signal(signal: PullSignal, at: WindowPlace, key: string, part: TablePart | null): void {
    const state = this.stateOf(key);
    if (signal.kind === 'place') this.#place(signal, part, at);
    else if (signal.kind === 'begin') this.#begin(signal, key, part, at);
    else if (state?.pull !== signal.pull || state.phase !== 'open') this.#late(signal, state);
    else if (signal.kind === 'split') this.#split(state, signal.shards, key, part, at);
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
    if (before?.pull === signal.pull) {
      // Told again, by a splitter that did not know whether it had.
      this.#answer(signal, { kind: 'begun', batchId: before.batchId });
      return;
    }
    if (part === null) {
      this.#answer(signal, { kind: 'aborted', failure: notPublished(key, this.#ds) });
      return;
    }
    if (before?.phase === 'open') {
      this.#answer(signal, { kind: 'aborted', failure: running(key, before.pull) });
      return;
    }
    const batchId = (before?.batchId ?? 0) + 1;
    const { pull, whole, hold } = signal;
    this.#set(key, { ...newPull(pull, batchId, whole), ...(hold !== undefined && { hold }) });
    this.#beginBatch(key, part, batchId, at);
    if (hold === 'begin') this.holding.begin(key, part, at);
    this.#answer(signal, { kind: 'begun', batchId });
  }

  #beginBatch(key: string, part: TablePart, batchId: number, at: WindowPlace): void {
    const state = this.stateOf(key);
    if (state === undefined) return;
    part.beginBatch(batchId);
    this.#notice(part, batchId, at, { state: 'begin', pull: state.pull, whole: state.whole });
  }

  /** Begins the rows of a table without a key anew: those that are out already have nothing that the next ones could replace them by. */
  #beginAnew(key: string, part: TablePart | null, at: WindowPlace): void {
    this.holding.end(key, part);
    const state = this.stateOf(key);
    if (state === undefined || part === null || (state.rows === 0 && state.next[0] === undefined)) return;
    const { pull, whole, rows, batchId } = state;
    this.#notice(part, batchId, at, { state: 'abort', pull, whole, rows });
    this.#set(key, { ...state, batchId: batchId + 1, rows: 0, next: {} });
    this.#beginBatch(key, part, batchId + 1, at);
  }

  #place(signal: PullSignal & { readonly kind: 'place' }, part: TablePart | null, at: WindowPlace): void {
    const { token } = signal;
    if (part === null) this.#answer(signal, { kind: 'placed', token, place: null });
    else {
      const { version, innerVersion, batch: batchId = 0 } = part.settled();
      // Before the first columns of a table the copy shows those of the first version.
      const place = { at, version, innerVersion: Math.max(0, innerVersion), batchId };
      this.#answer(signal, { kind: 'placed', token, place });
    }
  }

  #split(state: PullState, shards: number, key: string, part: TablePart | null, at: WindowPlace): void {
    this.#set(key, { ...state, shards });
    this.#endIfWhole(key, part, at);
  }

  #low(state: PullState, signal: ShardSignal, key: string, part: TablePart | null, at: WindowPlace): void {
    const { shard, token } = signal;
    if (state.hold === 'rows' && !isDone(state, shard)) this.#beginAnew(key, part, at);
    const now = this.stateOf(key) ?? state;
    // Whoever read the shard before does so no more.
    const windows = now.windows.filter(window => window.shard !== shard);
    if (isDone(now, shard)) {
      this.#set(key, { ...now, windows });
      this.#answer(signal, { kind: 'known', token, shard });
      return;
    }
    const window: PullWindow = { token, shard, low: at, version: part?.version ?? 0, high: false, page: 0 };
    this.#set(key, { ...now, windows: [...windows, window] });
    this.#answer(signal, { kind: 'low', token, shard, next: now.next[shard] ?? null });
  }

  #high(state: PullState, signal: ShardSignal, key: string, part: TablePart | null, at: WindowPlace): void {
    const { shard, token } = signal;
    const own = state.windows.find(window => window.token === token);
    // Rows that another server gave belong to another history.
    if (own !== undefined && own.low.epoch !== at.epoch) this.voidWindow(key, token, 'the source changed');
    else if (own === undefined) {
      this.#answer(signal, { kind: 'void', token, shard, why: CLOSED });
    } else if (state.hold === 'rows' && part?.version !== own.version) {
      this.voidWindow(key, token, 'the table was emptied while it was read');
    } else {
      this.#passed(state, signal, key);
      if (state.hold === 'rows') this.holding.begin(key, part, at);
    }
  }

  #passed(state: PullState, signal: ShardSignal, key: string): void {
    const { shard, token } = signal;
    const windows = state.windows.map(window =>
      window.token === token ? { ...window, high: true } : window,
    );
    this.#set(key, { ...state, windows });
    this.#answer(signal, { kind: 'high', token, shard });
  }

  /** A key of a table changed at a place; only for tables that it {@link watches}. */
  changed(key: string, text: string, at: Pick<WindowPlace, 'epoch' | 'fileNumber' | 'position'>): void {
    const state = this.stateOf(key);
    if (state === undefined || state.windows.length === 0) return;
    if (!this.#keys.note(key, text, placeText(at))) return;
    if (state.changed < MAX_CHANGED) this.#set(key, { ...state, changed: state.changed + 1 });
    else this.voidAll(key, `more than ${MAX_CHANGED} keys changed while it was read`);
  }

  /** Whether any key of a table is known to have changed: where none has, all rows of a page go out. */
  hasChanged(key: string): boolean {
    return (this.stateOf(key)?.changed ?? 0) > 0;
  }

  /** Whether a row of a page goes out: not when its key changed since the low watermark. */
  keeps(key: string, text: string, low: string): boolean {
    const last = this.#keys.lastOf(key, text);
    return last === undefined || last < low;
  }

  /** Closes all windows of a table; its open shards are read again. */
  voidAll(key: string, why: string): void {
    const state = this.stateOf(key);
    for (const { token } of state?.windows ?? []) this.voidWindow(key, token, why);
  }

  /** Closes one. */
  voidWindow(key: string, token: string, why: string): void {
    const state = this.stateOf(key);
    const window = state?.windows.find(each => each.token === token);
    if (state === undefined || window === undefined) return;
    this.#set(key, { ...state, windows: state.windows.filter(each => each !== window) });
    this.#answer(placeOf(key, state), { kind: 'void', token, shard: window.shard, why });
    this.#keys.closed(key);
  }

  /** A page went out. `next`: as its head has it; `rows`: those published. */
  paged(
    key: string,
    window: PullWindow,
    next: string | null,
    rows: number,
    part: TablePart,
    at: WindowPlace,
  ): void {
    const before = this.stateOf(key);
    if (before === undefined) return;
    const { token, shard } = window;
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
    this.#set(key, state);
    this.#answer(placeOf(key, state), {
      kind: 'page',
      token,
      shard,
      rows: state.rows,
      done: doneCount(state),
      whole,
    });
    if (!whole) return;
    this.#keys.closed(key);
    this.#endIfWhole(key, part, at);
  }

  /** Says that the open windows of a table go on in another version, which the pull itself began. */
  reversion(key: string, version: number): void {
    const state = this.stateOf(key);
    if (state === undefined) return;
    const { windows, held } = state;
    this.#set(key, {
      ...state,
      windows: windows.map(window => ({ ...window, version })),
      held: held === null ? null : { ...held, version },
    });
  }

  /** Notes the columns that the rows of a pull have. */
  hasColumns(key: string, columns: PullState['columns']): void {
    const state = this.stateOf(key);
    if (state !== undefined) this.#set(key, { ...state, columns });
  }

  /** Notes what rows that are published, or change, are told apart by: keys that are made of other columns, or masked otherwise, cannot be compared. */
  keyed(key: string, keyedBy: string): void {
    const state = this.stateOf(key);
    if (state === undefined || state.keyedBy === keyedBy) return;
    this.#set(key, { ...state, keyedBy: state.keyedBy === null ? keyedBy : MIXED });
  }

  /** Ends a pull that cannot go on. */
  abort(key: string, part: TablePart | null, at: WindowPlace, failure: PullFailure): void {
    if (this.stateOf(key)?.phase !== 'open') return;
    this.holding.end(key, part);
    const state = this.stateOf(key);
    if (state === undefined) return;
    this.#set(key, { ...state, phase: 'aborted', failure, windows: [], next: {} });
    this.#keys.closed(key);
    if (part !== null)
      this.#notice(part, state.batchId, at, {
        state: 'abort',
        pull: state.pull,
        whole: state.whole,
        rows: state.rows,
      });
    this.#answer(placeOf(key, state), { kind: 'aborted', failure });
  }

  #endIfWhole(key: string, part: TablePart | null, at: WindowPlace): void {
    const before = this.stateOf(key);
    if (before === undefined || before.shards === null || doneCount(before) < before.shards) return;
    if (before.held !== null) part?.settled();
    const state = this.stateOf(key) ?? before;
    const { pull, whole, rows, batchId } = state;
    const { shards } = before;
    this.#set(key, { ...state, phase: 'ended', windows: [], next: {} });
    this.#keys.closed(key);
    if (part !== null) this.#notice(part, batchId, at, { state: 'end', pull, whole, rows });
    // What waited comes behind the end, so that it finds the rows.
    this.holding.letOut(key);
    this.#answer(placeOf(key, state), { kind: 'ended', rows, shards, batchId });
  }

  #notice(part: TablePart, batchId: number, { seconds, micros }: WindowPlace, batch: UmsBatch): void {
    const timeMs = seconds * 1000 + (micros < 0 ? 0 : Math.floor(micros / 1000));
    this.holding.past(() =>
      part.beat(namespace => ({
        key: messageKey('data_initial_data', namespace, timeMs, this.#ds),
        value: batchMessage(namespace, batchId, batch),
      })),
    );
  }

  /** Where the first open window of a table begins; null for none. */
  #lowest(key: string): string | null {
    const windows = this.stateOf(key)?.windows ?? [];
    return windows.map(({ low }) => placeText(low)).sort()[0] ?? null;
  }

  #set(key: string, state: PullState): void {
    this.#now.set(key, state);
  }

  #answer(place: PullPlace, answer: DistributiveOmit<PullAnswer, keyof PullPlace>): void {
    const { pull, schema, table } = place;
    this.#answers.push({ pull, schema, table, ...answer });
  }

  /** Answers a signal of a pull that is not open: somebody who was given up for dead goes on, or was told nothing. */
  #late(signal: PullSignal, state: PullState | undefined): void {
    if (signal.kind !== 'low' && signal.kind !== 'high') return;
    const { shard, token } = signal;
    if (state?.pull !== signal.pull) this.#answer(signal, { kind: 'aborted', failure: OVER });
    else if (state.failure !== null) this.#answer(signal, { kind: 'aborted', failure: state.failure });
    else {
      const { rows, shards, batchId } = state;
      this.#answer(signal, { kind: 'known', token, shard });
      // Whoever was to note the end may have died before it did.
      if (shards !== null) this.#answer(signal, { kind: 'ended', rows, shards, batchId });
    }
  }

  finish(): PullResult {
    return { answers: this.#answers, commit: () => this.#commit() };
  }

  #commit(): void {
    for (const [key, left] of this.#keys.commit(key => this.#lowest(key))) {
      const state = this.stateOf(key);
      if (state !== undefined && state.changed !== left) this.#set(key, { ...state, changed: left });
    }
    this.holding.commit();
    for (const [key, state] of this.#now) this.#pulls.set(key, state);
  }
}

type ShardSignal = Extract<PullSignal, { readonly shard: number }>;
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

function placeOf(key: string, { pull }: PullState): PullPlace {
  const dot = key.indexOf('.');
  return { pull, schema: key.slice(0, dot), table: key.slice(dot + 1) };
}

/** The record of an answer on `<ds>_pull`, whose key is the name of the pull. */
export function answerOutput(ds: string, answer: PullAnswer): AppendOutput {
  return {
    topic: pullTopicOf(ds),
    schema: '',
    table: answer.table,
    partition: 0,
    key: Buffer.from(answer.pull, 'utf8'),
    value: Buffer.from(JSON.stringify(answer), 'utf8'),
  };
}

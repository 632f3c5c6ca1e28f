import type { PullFailure } from '../change/pull-signal.ts';
import type { Store } from '../topology/types.ts';
import { HeldMessages } from './append-hold.ts';
import type { AppendOutput } from './append-options.ts';
import type { TablePart } from './append-table.ts';
import { endedWhileHeld, heldTooMuch } from './pull-failures.ts';
import type { PullState, WindowPlace } from './pull-state.ts';

/** The pulls of tables as they are now. */
export interface PullStates {
  get(key: string): PullState | undefined;
  set(key: string, state: PullState): void;
}

/**
 * Holds the messages of tables back until their pulls are over, while one record is processed: rows are decoded as ever, and what is made of them waits, in order. So versions, masks and counts are those of
 * the place where a change stands, and what waits is nothing but bytes. Writes its store in {@link commit} alone.
 */
export class Holding {
  readonly #states: PullStates;
  readonly #messages: HeldMessages;
  readonly #mostBytes: number;
  #outputs: AppendOutput[] = [];
  /** While the pull itself writes. */
  #past = false;

  /** `mostBytes`: of what waits of a table, as messages. */
  constructor(states: PullStates, store: Store<string, Uint8Array>, mostBytes: number) {
    this.#states = states;
    this.#messages = new HeldMessages(store);
    this.#mostBytes = mostBytes;
  }

  /** Where messages go that waited. */
  writesTo(outputs: AppendOutput[]): void {
    this.#outputs = outputs;
  }

  /** Takes a message of a table when it has to wait for its pull; false: it goes out. Notices of columns never wait. */
  takes(key: string, output: AppendOutput): boolean {
    if (this.#past || output.notice === true) return false;
    const state = this.#states.get(key);
    if (state === undefined || state.held === null) return false;
    const { held } = state;
    const bytes = held.bytes + this.#messages.add(key, held.count, output);
    this.#states.set(key, { ...state, held: { ...held, count: held.count + 1, bytes } });
    return true;
  }

  /** Writes what does not wait: what the pull itself says. */
  past<T>(write: () => T): T {
    this.#past = true;
    try {
      return write();
    } finally {
      this.#past = false;
    }
  }

  /** From here on messages of a table wait; its rows that came before do not. */
  begin(key: string, part: TablePart | null, at: WindowPlace): void {
    part?.settled();
    const state = this.#states.get(key);
    if (state === undefined || part === null || state.held !== null) return;
    this.#states.set(key, { ...state, held: { count: 0, bytes: 0, version: part.version, at } });
  }

  /** Lets out what waits of a table, with its rows so far. */
  end(key: string, part: TablePart | null): void {
    if (this.#states.get(key)?.held == null) return;
    part?.settled();
    this.letOut(key);
  }

  /** Lets out what waits of a table, in order. */
  letOut(key: string): void {
    const state = this.#states.get(key);
    if (state === undefined || state.held === null) return;
    for (const output of this.#messages.take(key, state.held.count)) this.#outputs.push(output);
    this.#states.set(key, { ...state, held: null });
  }

  /** Why a pull has to end, once all events of a record have passed: too much waits for it, or what waits is of another version; null: it may go on. */
  overdue(key: string, part: TablePart): { readonly failure: PullFailure; readonly at: WindowPlace } | null {
    if (this.#states.get(key)?.held == null) return null;
    part.settled();
    const held = this.#states.get(key)?.held;
    if (held == null) return null;
    const { at } = held;
    if (part.version !== held.version) return { failure: endedWhileHeld(key), at };
    if (held.bytes <= this.#mostBytes) return null;
    return { failure: heldTooMuch(key, this.#mostBytes), at };
  }

  commit(): void {
    this.#messages.commit();
  }
}

import type { PullSignal } from '../change/pull-signal.ts';
import type { Store } from '../topology/types.ts';
import { ChangedKeys } from './changed-keys.ts';
import { CLOSED } from './pull-failures.ts';
import type { PullLedger } from './pull-ledger.ts';
import { isDone, type PullWindow, placeText, type WindowPlace } from './pull-state.ts';

/** A low or a high watermark. */
export type ShardSignal = Extract<PullSignal, { readonly shard: number }>;

/**
 * The windows in which the shards of tables are read, while one record is processed, and the keys that change in them. A shard has one window at most, the one that was opened last: only its rows count.
 * Writes its store in {@link commit} alone.
 */
export class PullWindows {
  readonly #ledger: PullLedger;
  readonly #keys: ChangedKeys;
  readonly #mostKeys: number;

  /** `changed`: the store of that name; `mostKeys`: of a table that are remembered. */
  constructor(ledger: PullLedger, changed: Store<string, string>, mostKeys: number) {
    this.#ledger = ledger;
    this.#keys = new ChangedKeys(changed);
    this.#mostKeys = mostKeys;
  }

  /** Whether changes of a table are to be told. */
  watches(key: string): boolean {
    const state = this.#ledger.get(key);
    return state !== undefined && state.windows.length > 0 && state.held === null;
  }

  /** Opens the window of a shard at its low watermark, of a table in this version, and closes the one before: whoever read in it does so no more. */
  open(signal: ShardSignal, key: string, at: WindowPlace, version: number): void {
    const { shard, token } = signal;
    const state = this.#ledger.get(key);
    if (state === undefined) return;
    const windows = state.windows.filter(window => window.shard !== shard);
    if (isDone(state, shard)) {
      this.#ledger.set(key, { ...state, windows });
      this.#ledger.answer(signal, { kind: 'known', token, shard });
      return;
    }
    const window: PullWindow = { token, shard, low: at, version, high: false, page: 0 };
    this.#ledger.set(key, { ...state, windows: [...windows, window] });
    this.#ledger.answer(signal, { kind: 'low', token, shard, next: state.next[shard] ?? null });
  }

  /** Takes the high watermark of a window; false when that counts no more. `version`: of the table now, where its rows may be of no other; null where that shows with them. */
  passed(signal: ShardSignal, key: string, at: WindowPlace, version: number | null): boolean {
    const { shard, token } = signal;
    const windows = this.#ledger.get(key)?.windows ?? [];
    const own = windows.find(window => window.token === token);
    if (own === undefined) {
      this.#ledger.answer(signal, { kind: 'void', token, shard, why: CLOSED });
      return false;
    }
    // Rows that another server gave belong to another history.
    if (own.low.epoch !== at.epoch) return this.void(key, token, 'the source changed');
    if (version !== null && version !== own.version)
      return this.void(key, token, 'the table was emptied while it was read');
    this.#ledger.update(key, {
      windows: windows.map(window => (window === own ? { ...window, high: true } : window)),
    });
    this.#ledger.answer(signal, { kind: 'high', token, shard });
    return true;
  }

  /** A key of a table changed at a place; only for tables that it {@link watches}. */
  changed(key: string, text: string, at: Pick<WindowPlace, 'epoch' | 'fileNumber' | 'position'>): void {
    const state = this.#ledger.get(key);
    if (state === undefined || state.windows.length === 0) return;
    if (!this.#keys.note(key, text, placeText(at))) return;
    if (state.changed < this.#mostKeys) this.#ledger.set(key, { ...state, changed: state.changed + 1 });
    else this.voidAll(key, `more than ${this.#mostKeys} keys changed while it was read`);
  }

  /** Whether any key of a table is known to have changed: where none has, all rows of a page go out. */
  hasChanged(key: string): boolean {
    return (this.#ledger.get(key)?.changed ?? 0) > 0;
  }

  /** Whether a row of a page goes out: not when its key changed since the low watermark. */
  keeps(key: string, text: string, low: string): boolean {
    const last = this.#keys.lastOf(key, text);
    return last === undefined || last < low;
  }

  /** Closes all windows of a table; its open shards are read again. */
  voidAll(key: string, why: string): void {
    for (const { token } of this.#ledger.get(key)?.windows ?? []) this.void(key, token, why);
  }

  /** Closes one, whose shard is read again. Gives false, since it counts no more. */
  void(key: string, token: string, why: string): false {
    const state = this.#ledger.get(key);
    const window = state?.windows.find(each => each.token === token);
    if (state === undefined || window === undefined) return false;
    this.#ledger.set(key, { ...state, windows: state.windows.filter(each => each !== window) });
    this.#ledger.tell(key, state, { kind: 'void', token, shard: window.shard, why });
    this.closed(key);
    return false;
  }

  /** Windows of a table were closed. */
  closed(key: string): void {
    this.#keys.closed(key);
  }

  /** Says that the open windows of a table go on in another version, which the pull itself began. */
  reversion(key: string, version: number): void {
    const state = this.#ledger.get(key);
    if (state === undefined) return;
    const { windows, held } = state;
    this.#ledger.set(key, {
      ...state,
      windows: windows.map(window => ({ ...window, version })),
      held: held === null ? null : { ...held, version },
    });
  }

  /** Writes the keys that changed, and forgets those that no window needs, all of the record having passed. */
  commit(): void {
    for (const [key, changed] of this.#keys.commit(each => this.#lowest(each))) {
      if (this.#ledger.get(key)?.changed !== changed) this.#ledger.update(key, { changed });
    }
  }

  /** Where the first open window of a table begins; null for none. */
  #lowest(key: string): string | null {
    const windows = this.#ledger.get(key)?.windows ?? [];
    return windows.map(({ low }) => placeText(low)).sort()[0] ?? null;
  }
}

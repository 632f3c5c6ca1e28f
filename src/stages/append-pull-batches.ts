import type { PullFailure } from '../change/pull-signal.ts';
import { batchMessage, messageKey } from '../ums/message.ts';
import type { UmsBatch } from '../ums/types.ts';
import type { Holding } from './append-holding.ts';
import type { PullWindows } from './append-pull-windows.ts';
import type { TablePart } from './append-table.ts';
import type { PullLedger } from './pull-ledger.ts';
import { doneCount, type PullState, type WindowPlace } from './pull-state.ts';

/** What pulls are to readers, while one record is processed: batches, each with a number, a begin and an end. `part`, here and below: the table; null when it is not published. */
export class PullBatches {
  readonly #ds: string;
  readonly #ledger: PullLedger;
  readonly #windows: PullWindows;
  readonly #holding: Holding;

  constructor(ds: string, ledger: PullLedger, windows: PullWindows, holding: Holding) {
    this.#ds = ds;
    this.#ledger = ledger;
    this.#windows = windows;
    this.#holding = holding;
  }

  /** Begins the batch of the pull that has just begun. */
  begin(key: string, part: TablePart, at: WindowPlace): void {
    const state = this.#ledger.get(key);
    if (state === undefined) return;
    part.beginBatch(state.batchId);
    this.#notice(part, state, at, { state: 'begin' });
  }

  /** Begins the rows of a table without a key anew: those that are out already have nothing that the next ones could replace them by. */
  beginAnew(key: string, part: TablePart | null, at: WindowPlace): void {
    this.#holding.end(key, part);
    const state = this.#ledger.get(key);
    if (state === undefined || part === null || (state.rows === 0 && state.next[0] === undefined)) return;
    this.#notice(part, state, at, { state: 'abort', rows: state.rows });
    this.#ledger.set(key, { ...state, batchId: state.batchId + 1, rows: 0, next: {} });
    this.begin(key, part, at);
  }

  /** Ends a pull that cannot go on; nothing when it is over. */
  abort(key: string, part: TablePart | null, at: WindowPlace, failure: PullFailure): void {
    if (this.#ledger.get(key)?.phase !== 'open') return;
    this.#holding.end(key, part);
    const state = this.#ledger.get(key);
    if (state === undefined) return;
    this.#ledger.set(key, { ...state, phase: 'aborted', failure, windows: [], next: {} });
    this.#windows.closed(key);
    if (part !== null) this.#notice(part, state, at, { state: 'abort', rows: state.rows });
    this.#ledger.tell(key, state, { kind: 'aborted', failure });
  }

  /** Ends a pull when all of its shards are whole. */
  endIfWhole(key: string, part: TablePart | null, at: WindowPlace): void {
    const before = this.#ledger.get(key);
    if (before === undefined || before.shards === null || doneCount(before) < before.shards) return;
    if (before.held !== null) part?.settled();
    const state = this.#ledger.get(key) ?? before;
    const { rows, batchId } = state;
    const { shards } = before;
    this.#ledger.set(key, { ...state, phase: 'ended', windows: [], next: {} });
    this.#windows.closed(key);
    if (part !== null) this.#notice(part, state, at, { state: 'end', rows });
    // What waited comes behind the end, so that it finds the rows.
    this.#holding.letOut(key);
    this.#ledger.tell(key, state, { kind: 'ended', rows, shards, batchId });
  }

  #notice(
    part: TablePart,
    { pull, whole, batchId }: PullState,
    { seconds, micros }: WindowPlace,
    said: Pick<UmsBatch, 'state' | 'rows'>,
  ): void {
    const timeMs = seconds * 1000 + (micros < 0 ? 0 : Math.floor(micros / 1000));
    const { state, ...rows } = said;
    const batch: UmsBatch = { state, pull, whole, ...rows };
    this.#holding.past(() =>
      part.beat(namespace => ({
        key: messageKey('data_initial_data', namespace, timeMs, this.#ds),
        value: batchMessage(namespace, batchId, batch),
      })),
    );
  }
}

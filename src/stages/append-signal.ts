import { type PullSignal, parseSignal } from '../change/pull-signal.ts';
import type { RawTable } from '../change/raw-run.ts';
import { type SignalKind, type SignalRow, signalKind } from '../change/signal-tables.ts';
import { isUmbusError } from '../core/errors.ts';
import { json, utf8 } from '../topology/serdes.ts';
import { store } from '../topology/topic.ts';
import type { StoreDef } from '../topology/types.ts';
import type { EventPlace } from './append-event.ts';
import { appendHeartbeat, type BeatMark } from './append-heartbeat.ts';
import type { SignalPlace } from './append-options.ts';
import type { AppendShared, TablePart } from './append-table.ts';
import { tablePartition } from './dispatch.ts';
import { SignalDecoder } from './signal-rows.ts';

/** What a signal row acts on: the tables of one schema that are in the task's partition. */
export interface SignalScope {
  /** '' where signals have no meaning: in what is replayed. */
  readonly schema: string;
  /** Its tables that are known, by name; null for one that is not published. */
  all(): readonly (TablePart | null)[];
  /** One of its tables, known or not; null for one that is not published. */
  one(table: string): TablePart | null;
  readonly shared: AppendShared;
}

/** What signal rows there were in a run. */
export interface SignalCounts {
  readonly schema: string;
  readonly heartbeats: number;
  readonly watermarks: number;
  /** Rows of other lines on the same source. */
  readonly foreign: number;
  /** Rows that do not decode, or say what nobody understands. */
  readonly unreadable: number;
  /** The heartbeat that came last; null for none. */
  readonly last: BeatMark | null;
}

/** The same since the line began, of one schema in one partition. */
export type SignalState = Omit<SignalCounts, 'schema'>;

/** The appender's store of {@link SignalState} by schema. */
export const signalsStore: StoreDef<string, SignalState> = store('signals', utf8, json<SignalState>());

const NONE: SignalState = { heartbeats: 0, watermarks: 0, foreign: 0, unreadable: 0, last: null };

/** The state after a run. */
export function afterSignals(before: SignalState | undefined, counts: SignalCounts): SignalState {
  const state = before ?? NONE;
  return {
    heartbeats: state.heartbeats + counts.heartbeats,
    watermarks: state.watermarks + counts.watermarks,
    foreign: state.foreign + counts.foreign,
    unreadable: state.unreadable + counts.unreadable,
    last: counts.last ?? state.last,
  };
}

/** Reads the signal rows of runs, and does what they say. What it keeps between runs are decoders. */
export class SignalReader {
  readonly #ds: string;
  readonly #place: SignalPlace;
  readonly #decoder = new SignalDecoder();
  #counts: { -readonly [K in keyof SignalState]: SignalState[K] } = { ...NONE };
  #any = false;

  constructor(ds: string, place: SignalPlace) {
    this.#ds = ds;
    this.#place = place;
  }

  /** What the rows of a table are; null for a table that is no signal table. */
  kindOf({ schema, table }: RawTable): SignalKind | null {
    return signalKind(this.#place.schema, schema, table);
  }

  /** Begins a run. */
  begin(): void {
    if (!this.#any) return;
    this.#any = false;
    this.#counts = { ...NONE };
  }

  /** What the run had; null for nothing. */
  counts(schema: string): SignalCounts | null {
    return this.#any ? { schema, ...this.#counts } : null;
  }

  /** Takes a row event of a signal table: what it says is done at once, so that it stands behind the rows before it. */
  take(table: RawTable, kind: SignalKind, event: EventPlace, scope: SignalScope): void {
    this.#any = true;
    for (const row of this.#decoded(table, kind, event)) {
      if (row.ds === this.#ds) this.#act(row, event, scope);
      else this.#counts.foreign++;
    }
  }

  #decoded(table: RawTable, kind: SignalKind, event: EventPlace): readonly SignalRow[] {
    try {
      return this.#decoder.rows(table, kind, event);
    } catch (error) {
      // A table of that name which somebody else made must not stop the line.
      if (!isUmbusError(error)) throw error;
      this.#counts.unreadable++;
      return [];
    }
  }

  /** Takes a watermark of a full pull; false when its table is not in this partition. */
  #pull(signal: PullSignal, event: EventPlace, { schema, shared, one }: SignalScope): boolean {
    const { pulls, partition, prefix } = shared;
    if (signal.schema !== schema || pulls === null) return false;
    if (tablePartition(schema, signal.table, this.#place.partitions) !== partition) return false;
    const { position, seconds, micros } = event;
    const at = { ...prefix.place, position, seconds, micros };
    pulls.signal(signal, at, `${schema}.${signal.table}`, one(signal.table));
    return true;
  }

  #act(row: SignalRow, event: EventPlace, scope: SignalScope): void {
    switch (row.kind) {
      case 'heartbeat': {
        const mark = appendHeartbeat(row, event, scope, this.#place.partitions);
        if (mark === null) this.#counts.unreadable++;
        else if (mark !== 'elsewhere') {
          this.#counts.heartbeats++;
          this.#counts.last = mark;
        }
        return;
      }
      case 'watermark': {
        const signal = parseSignal(row.mark, row.token, row.packet);
        if (signal === null) this.#counts.unreadable++;
        else if (this.#pull(signal, event, scope)) this.#counts.watermarks++;
      }
    }
  }
}

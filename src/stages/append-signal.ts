import { type PullSignal, parseSignal } from '../change/pull-signal.ts';
import type { RawTable } from '../change/raw-run.ts';
import { type SignalKind, type SignalRow, signalKind } from '../change/signal-tables.ts';
import { isUmbusError } from '../core/errors.ts';
import { json, utf8 } from '../topology/serdes.ts';
import { store } from '../topology/topic.ts';
import type { StoreDef } from '../topology/types.ts';
import type { EventPlace } from './append-event.ts';
import { type BeatMark, HeartbeatWriter, type SinceLast } from './append-heartbeat.ts';
import type { SignalPlace } from './append-options.ts';
import type { AppendShared } from './append-shared.ts';
import type { TablePart } from './append-table.ts';
import { tablePartition } from './dispatch.ts';
import { SignalDecoder } from './signal-rows.ts';

/** What a signal row acts on: the tables of the task's partition. */
export interface SignalScope {
  /** The known tables of a schema, by name; null for one that is not published. */
  all(schema: string): readonly (TablePart | null)[];
  /** A table, known or not; null for one that is not published. */
  one(schema: string, table: string): TablePart | null;
  readonly shared: AppendShared;
}

/** Where a run comes from, and when it passed each hop: microseconds since 1970-01-01 UTC, null where a hop did not say. */
export interface SignalOrigin {
  /** The schema whose topic it was read from; '' where signals have no meaning: in what is replayed. */
  readonly schema: string;
  readonly offset: bigint;
  readonly captured: number;
  readonly dispatched: number | null;
  readonly appended: number;
  /** The state after the run before; asked for by a run that has signals. */
  readonly state: () => SignalState | undefined;
}

/** What signal rows there were of one schema in one partition, since the line began. */
export interface SignalState {
  readonly heartbeats: number;
  readonly watermarks: number;
  /** Rows of other lines on the same source. */
  readonly foreign: number;
  /** Rows that do not decode, or say what nobody understands. */
  readonly unreadable: number;
  /** The heartbeat that came last; null for none. */
  readonly last: BeatMark | null;
  /** What each table had at its last heartbeat, by name. */
  readonly totals: Readonly<Record<string, TableTotals>>;
}

/** Rows, bytes, errors and warnings of a table, and the round at which it had so many. */
export type TableTotals = readonly [
  rows: number,
  bytes: number,
  errors: number,
  warnings: number,
  beat: number,
];

/** The appender's store of {@link SignalState} by schema. */
export const signalsStore: StoreDef<string, SignalState> = store('signals', utf8, json<SignalState>());

const NONE: SignalState = {
  heartbeats: 0,
  watermarks: 0,
  foreign: 0,
  unreadable: 0,
  last: null,
  totals: {},
};

/** Reads the signal rows of runs, and does what they say. What it keeps between runs are decoders. */
export class SignalReader {
  readonly #ds: string;
  readonly #place: SignalPlace;
  readonly #decoder = new SignalDecoder();
  #origin: SignalOrigin | null = null;
  #state: { -readonly [K in keyof SignalState]: SignalState[K] } | null = null;

  constructor(ds: string, place: SignalPlace) {
    this.#ds = ds;
    this.#place = place;
  }

  /** What the rows of a table are; null for a table that is no signal table. */
  kindOf({ schema, table }: RawTable): SignalKind | null {
    return signalKind(this.#place.schema, schema, table);
  }

  /** Begins a run. */
  begin(origin: SignalOrigin | null): void {
    this.#origin = origin;
    this.#state = null;
  }

  /** The state after the run; null when it had no signals. */
  end(): SignalState | null {
    return this.#state;
  }

  /** Takes a row event of a signal table: what it says is done at once, so that it stands behind the rows before it. */
  take(table: RawTable, kind: SignalKind, event: EventPlace, scope: SignalScope): void {
    const origin = this.#origin;
    if (origin === null || origin.schema === '') return;
    this.#state ??= { ...(origin.state() ?? NONE) };
    const state = this.#state;
    for (const row of this.#decoded(table, kind, event)) {
      if (row.ds === this.#ds) this.#act(row, event, scope, origin);
      else state.foreign++;
    }
  }

  #decoded(table: RawTable, kind: SignalKind, event: EventPlace): readonly SignalRow[] {
    try {
      return this.#decoder.rows(table, kind, event);
    } catch (error) {
      // A table of that name which somebody else made must not stop the line.
      if (!isUmbusError(error)) throw error;
      if (this.#state !== null) this.#state.unreadable++;
      return [];
    }
  }

  /** Takes a watermark of a full pull; false when its table is not in this partition. */
  #pull(signal: PullSignal, event: EventPlace, { shared, one }: SignalScope, schema: string): boolean {
    const { pulls, partition, prefix, settings } = shared;
    if (signal.schema !== schema || pulls === null) return false;
    const name = settings.logical(schema, signal.table);
    if (tablePartition(schema, name, this.#place.partitions) !== partition) return false;
    const { position, seconds, micros } = event;
    const at = { ...prefix.place, position, seconds, micros };
    pulls.signal(signal, at, `${schema}.${signal.table}`, one(schema, signal.table));
    return true;
  }

  #act(row: SignalRow, event: EventPlace, scope: SignalScope, origin: SignalOrigin): void {
    const state = this.#state;
    if (state === null) return;
    switch (row.kind) {
      case 'heartbeat': {
        const totals = new Map(Object.entries(state.totals));
        const writer = new HeartbeatWriter(scope, origin, event, sinceLast(totals));
        const mark = writer.write(row, this.#place.partitions);
        if (mark === null) state.unreadable++;
        else if (mark !== 'elsewhere') {
          state.heartbeats++;
          state.last = mark;
          state.totals = Object.fromEntries(totals);
        }
        return;
      }
      case 'watermark': {
        const signal = parseSignal(row.mark, row.token, row.packet);
        if (signal === null) state.unreadable++;
        else if (this.#pull(signal, event, scope, origin.schema)) state.watermarks++;
      }
    }
  }
}

/** Says what a table has had since its last heartbeat, and notes what it has now. A count that was begun anew counts as it is. Null when the table has had the round. */
function sinceLast(totals: Map<string, TableTotals>): SinceLast {
  const more = (after: number, before: number): number => (after >= before ? after - before : after);
  return (table, beat, { rows, bytes, errors, warnings }) => {
    const [rowsThen, bytesThen, errorsThen, warningsThen, beatThen] = totals.get(table) ?? [0, 0, 0, 0, 0];
    if (beat > 0 && beat === beatThen) return null;
    totals.set(table, [rows, bytes, errors, warnings, beat]);
    return {
      rows: more(rows, rowsThen),
      bytes: more(bytes, bytesThen),
      errors: more(errors, errorsThen),
      warnings: more(warnings, warningsThen),
    };
  };
}

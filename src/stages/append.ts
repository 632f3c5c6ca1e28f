import type { Buffer } from 'node:buffer';
import { fileNumberOf } from '../binlog/rotate.ts';
import { PAGE_KIND, type PageHead, pageHead } from '../change/pull-page.ts';
import type { RawRun } from '../change/raw-run.ts';
import { UmbusError } from '../core/errors.ts';
import { readMemory } from '../core/memory-pool.ts';
import { NO_MASKS } from '../masking/mask-spec.ts';
import type { Processor, StoreDef } from '../topology/types.ts';
import { DISPATCHED_HEADER, stampOf } from '../ums/beat-stamps.ts';
import { OWN_NAME } from '../ums/namespace.ts';
import type { TableSchema } from '../ums/table-schema.ts';
import { TupleBuffer } from '../ums/tuple-buffer.ts';
import { TuplePrefix } from '../ums/tuple-prefix.ts';
import { zoneOf } from '../ums/zone.ts';
import { DecoderCache } from './append-decoders.ts';
import { heldStore } from './append-hold.ts';
import { KeyWatch } from './append-keys.ts';
import {
  type AppendOptions,
  type AppendOutput,
  type AppendSettings,
  DEFAULT_MAX_BYTES,
  DEFAULT_MAX_ROWS,
} from './append-options.ts';
import { appendPageRun } from './append-page.ts';
import { RowPlacer } from './append-placing.ts';
import { PullDesk } from './append-pull.ts';
import type { PullStores } from './append-pull-stores.ts';
import { appendRun, type RunContext } from './append-run.ts';
import { type SignalOrigin, SignalReader, type SignalState, signalsStore } from './append-signal.ts';
import { type ParkedState, schemasStore, type TableState, tablesStore } from './append-state.ts';
import { answerOutput } from './pull-ledger.ts';
import { changedStore, pullsStore } from './pull-state.ts';

export type { AppendOptions, AppendOutput } from './append-options.ts';
export type { ResultPlacing } from './append-placing.ts';
export type { PullStores } from './append-pull-stores.ts';
export { type SignalState, signalsStore } from './append-signal.ts';
export { hasBeats, type ParkedState, schemasStore, type TableState, tablesStore } from './append-state.ts';

/** The stores of the appender. */
export type AppendStores = {
  readonly tables: StoreDef<string, TableState>;
  readonly schemas: StoreDef<string, TableSchema>;
  readonly signals: StoreDef<string, SignalState>;
} & PullStores;

const NO_HEADERS = Object.freeze({});
/** The stores of the appender, for its stage. */
export const appendStores: AppendStores = {
  tables: tablesStore,
  schemas: schemasStore,
  signals: signalsStore,
  pulls: pullsStore,
  changed: changedStore,
  held: heldStore,
};

/** Buffers kept for the next record, and the largest that is kept. */
const KEPT_BUFFERS = 64;
const KEPT_BUFFER_BYTES = 4 * 1024 * 1024;

/** What a run became. */
interface AppendedRun {
  readonly outputs: readonly AppendOutput[];
  readonly states: readonly (readonly [key: string, state: TableState])[];
  /** Of the tables whose columns are others now; null for none. */
  readonly columns: readonly (readonly [key: string, columns: TableSchema | null])[];
  /** The state of signals after it; null when it had none. */
  readonly signals: SignalState | null;
  readonly parked: readonly { readonly key: string; readonly run: Buffer; readonly reason: ParkedState }[];
}

/**
 * The appender: decodes the rows of runs straight into UMS messages, one a table, partition and record unless a bound splits it. What it emits for a record, and in
 * which order, depends on the record and the store `tables` alone: full messages at the end of the event that filled them, the others by table in order of
 * appearance, and within a table by partition. A table whose rows cannot be decoded is parked, from the event that failed on, with its bytes; the others go on.
 * Errors: UMBUS_TOPOLOGY_DECODE, UMBUS_SOURCE_PROTOCOL for a run that is unusable as a whole, UMBUS_CONFIG_INVALID for an unknown time zone; nothing is emitted then.
 */
export function createAppender(
  options: AppendOptions,
): Processor<string, RawRun, string, AppendOutput, AppendStores> {
  const work = new Appending(settingsOf(options));
  return {
    on: (record, context, emit) => {
      const { tables, schemas, signals } = context.stores;
      const run = record.value;
      const desk = new PullDesk(options, context.stores);
      const schema = schemaOf(record.topic, options.ds);
      const result = work.append(
        run,
        context.partition,
        key => tables.get(key),
        key => schemas.get(key) ?? null,
        () => keysOf(tables.entries()),
        {
          schema,
          offset: record.offset,
          captured: run.captured,
          dispatched: stampOf(record.headers[DISPATCHED_HEADER]),
          appended: Math.round(context.now() * 1000),
          state: () => signals.get(schema),
        },
        desk,
        run.kind === PAGE_KIND ? pageHead(record.headers) : null,
      );
      // Nothing of a page is kept: its rows are in messages, and it parks no table.
      if (run.kind === PAGE_KIND && result.parked.length === 0) readMemory.giveBack(run.events);
      const { answers, commit } = desk.finish();
      commit();
      if (result.signals !== null) signals.set(schema, result.signals);
      for (const [key, state] of result.states) tables.set(key, state);
      for (const [key, columns] of result.columns) {
        if (columns === null) schemas.delete(key);
        else schemas.set(key, columns);
      }
      for (const output of result.outputs) {
        // Headers of the record are not those of its rows.
        const { partition, headers = NO_HEADERS } = output;
        emit(record.key, output, { partition, headers });
      }
      for (const answer of answers) {
        emit(record.key, answerOutput(options.ds, answer), { partition: 0, headers: NO_HEADERS });
      }
      for (const parked of result.parked) {
        context.park(parked.key, parked.run, parkedError(parked.key, parked.reason));
      }
    },
  };
}

/** What a replay gives. */
export interface ReplayedTable {
  readonly outputs: readonly AppendOutput[];
  /** The table's state after it: `parked` is null when every event could be decoded. */
  readonly state: TableState;
  /** Its columns, as the store `schemas` has them then; null for none. */
  readonly columns: TableSchema | null;
  /** Runs, encoded, or references to them, that could not be decoded again, in order; [] when the replay is whole. They take the place of the runs given. */
  readonly parked: readonly Buffer[];
}

/**
 * Decodes the parked runs of one table again, in the order in which they were parked: the same code as the appender's, with the same ids, so a consumer that
 * has seen a row of it knows it as a repeat. `before` is what the stores `tables` and `schemas` have of the table, and `runs` all that was parked since `state.parked.since`; `partition`:
 * the one whose task parked it.
 * Pure: the caller writes the outputs, the new state and nothing else in one commit, or keeps things as they are.
 */
export function replayParked(
  options: AppendOptions,
  table: { readonly schema: string; readonly table: string },
  before: { readonly state: TableState; readonly columns: TableSchema | null },
  runs: Iterable<RawRun>,
  partition: number,
): ReplayedTable {
  const key = `${table.schema}.${table.table}`;
  const work = new Appending(
    settingsOf(options),
    (schema, name) => schema === table.schema && name === table.table,
  );
  const outputs: AppendOutput[] = [];
  const parked: Buffer[] = [];
  let now: TableState = { ...before.state, parked: null };
  let columns = before.columns;
  for (const run of runs) {
    const result = work.append(
      run,
      partition,
      () => now,
      () => columns,
      () => [key],
    );
    outputs.push(...result.outputs);
    for (const [, next] of result.states) now = next;
    for (const [, next] of result.columns) columns = next;
    for (const again of result.parked) parked.push(again.run);
  }
  return { outputs, state: now, columns, parked };
}

/** One task's decoders and buffers. Keeps nothing from one run to the next that what it makes depends on. */
class Appending {
  readonly #settings: AppendSettings;
  readonly #decoders: DecoderCache;
  readonly #prefix: TuplePrefix;
  readonly #placer: RowPlacer;
  readonly #signals: SignalReader | null;
  readonly #free: TupleBuffer[] = [];
  /** Tables to decode. */
  readonly #wanted: AppendSettings['subscribed'];

  constructor(settings: AppendSettings, wanted = settings.subscribed) {
    this.#settings = settings;
    this.#wanted = wanted;
    this.#decoders = new DecoderCache(settings.ds, settings.zone, settings.marks, settings.logical);
    this.#prefix = new TuplePrefix(settings.zone);
    this.#placer = new RowPlacer(this.#prefix);
    this.#signals = settings.signals === null ? null : new SignalReader(settings.ds, settings.signals);
  }

  append(
    run: RawRun,
    partition: number,
    stateOf: RunContext['stateOf'],
    columnsOf: RunContext['columnsOf'],
    known: RunContext['known'],
    origin: SignalOrigin | null = null,
    desk: PullDesk | null = null,
    page: PageHead | null = null,
  ): AppendedRun {
    const outputs: AppendOutput[] = [];
    desk?.holding.writesTo(outputs);
    this.#signals?.begin(origin);
    const masks = this.#settings.masks();
    this.#decoders.use(masks);
    const context: RunContext = {
      shared: {
        settings: this.#settings,
        prefix: this.#prefix,
        placer: this.#placer,
        source: { epoch: run.epoch, file: run.file, fileNumber: page === null ? fileNumberOf(run.file) : 0 },
        published: ({ schema, table }) => this.#settings.subscribed(schema, table),
        partition,
        outputs,
        lend: () => this.#free.pop() ?? new TupleBuffer(),
        watch: desk === null ? null : new KeyWatch(desk, this.#prefix),
        pulls: desk,
      },
      decoders: this.#decoders,
      stateOf,
      columnsOf,
      known,
      signals: this.#signals,
      wanted: this.#wanted,
    };
    const parts = page === null ? appendRun(run, context) : appendPageRun(run, page, context);
    const states: [string, TableState][] = [];
    const columns: [string, TableSchema | null][] = [];
    const parked: { key: string; run: Buffer; reason: ParkedState }[] = [];
    for (const [key, part] of parts) {
      desk?.passed(key, part);
      const { state, changed, buffers, ...more } = part.finish();
      if (more.columns !== undefined) columns.push([key, more.columns]);
      for (const buffer of buffers) this.#takeBack(buffer);
      // The events of a table that has masks hold what nobody may see; their place is enough to find them again.
      const secret = masks.of(part.schema, part.table) !== null;
      const bytes = secret ? part.parked.reference(run) : part.parked.encode(run);
      if (bytes !== null && state.parked !== null) parked.push({ key, run: bytes, reason: state.parked });
      if (changed) states.push([key, state]);
    }
    return { outputs, states, columns, parked, signals: this.#signals?.end() ?? null };
  }

  #takeBack(buffer: TupleBuffer): void {
    if (this.#free.length >= KEPT_BUFFERS || buffer.bytes.length > KEPT_BUFFER_BYTES) return;
    buffer.clear();
    this.#free.push(buffer);
  }
}

function settingsOf(options: AppendOptions): AppendSettings {
  return {
    ds: options.ds,
    maxRows: options.maxRows ?? DEFAULT_MAX_ROWS,
    maxBytes: options.maxBytes ?? DEFAULT_MAX_BYTES,
    zone: zoneOf(options.timeZone ?? 'UTC'),
    subscribed: options.subscribed ?? (() => true),
    logical: options.logical ?? OWN_NAME,
    partitions: options.partitions ?? 1,
    beforeImage: options.beforeImage ?? (() => false),
    result: options.result ?? (() => null),
    refused: options.refused ?? (() => null),
    marks: options.marks ?? (() => true),
    signals: options.signals ?? null,
    masks: options.masks ?? (() => NO_MASKS),
  };
}

/** The schema of a topic `<ds>.<schema>`; '' for any other name. */
function schemaOf(topic: string, ds: string): string {
  return topic.startsWith(`${ds}.`) ? topic.slice(ds.length + 1) : '';
}

function* keysOf<V>(entries: Iterable<readonly [string, V]>): Iterable<string> {
  for (const [key] of entries) yield key;
}

function parkedError(key: string, reason: ParkedState): UmbusError {
  return new UmbusError(reason.code, reason.message, { details: { table: key, since: reason.since } });
}

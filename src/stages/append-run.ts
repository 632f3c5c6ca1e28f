import { hasTakenEffect } from '../binlog/alter-phase.ts';
import {
  EVENT_CHECKSUM_BYTES,
  EVENT_FLAGS_AT,
  EVENT_HEADER_BYTES,
  EVENT_LOG_POS_AT,
  EVENT_SIZE_AT,
  EVENT_TYPE_AT,
  EventType,
  FLAG_INFLATED,
} from '../binlog/event-type.ts';
import { parseGtidEvent } from '../binlog/gtid-event.ts';
import { parseQuery } from '../binlog/query.ts';
import { fileNumberOf } from '../binlog/rotate.ts';
import { isRowsEvent } from '../binlog/rows/rows-event.ts';
import type { RawRun, RawTable } from '../change/raw-run.ts';
import type { SignalKind } from '../change/signal-tables.ts';
import { droppedSchema, type TableEffect, tableEffects } from '../change/table-effects.ts';
import { UmbusError } from '../core/errors.ts';
import { FILE_NUMBER_MAX } from '../ums/ids.ts';
import type { TableSchema } from '../ums/table-schema.ts';
import { viewOf } from '../ums/tuple-buffer.ts';
import type { DecoderCache, TableDecoder } from './append-decoders.ts';
import { applyEffect } from './append-effects.ts';
import type { EventPlace } from './append-event.ts';
import { givenFor } from './append-given.ts';
import { TRANSACTION_SPAN } from './append-park.ts';
import type { AppendShared } from './append-shared.ts';
import type { SignalReader } from './append-signal.ts';
import { NEW_TABLE, type TableState } from './append-state.ts';
import { TablePart } from './append-table.ts';
import type { VersionEvent } from './append-version-messages.ts';
import { tablePartition } from './dispatch.ts';

/** What decoding a run needs beside the run. */
export interface RunContext {
  readonly shared: AppendShared;
  readonly decoders: DecoderCache;
  /** The state of a table before the run. */
  readonly stateOf: (key: string) => TableState | undefined;
  /** Its columns then; null for none. */
  readonly columnsOf: (key: string) => TableSchema | null;
  /** `schema.table` of all known tables. */
  readonly known: () => Iterable<string>;
  /** What reads the signal rows of the run; null for nobody. */
  readonly signals: SignalReader | null;
  /** Tables to leave alone. */
  readonly wanted: (schema: string, table: string) => boolean;
}

const WRAP = 0x1_0000_0000;
/** Offset of the commit time in the body of GTID events (gtid-event.ts), and how many bytes it has. */
const COMMIT_TIME_AT = EVENT_HEADER_BYTES + 42;
const COMMIT_TIME_BYTES = 7;
const MICROS = 1_000_000;

/**
 * Decodes a run: outputs go to the context's list, and the tables that it touched are given back, in the order in which they came. A table that fails is
 * parked from the event that failed on, and does not keep others from going on. Changes nothing of the context but the outputs and lent buffers.
 * Errors: UMBUS_TOPOLOGY_DECODE, UMBUS_SOURCE_PROTOCOL when the run as a whole is unusable.
 */
export function appendRun(run: RawRun, context: RunContext): ReadonlyMap<string, TablePart> {
  const walk = new RunWalk(run, context);
  walk.all();
  return walk.parts;
}

class RunWalk {
  readonly parts = new Map<string, TablePart>();
  readonly #run: RawRun;
  readonly #context: RunContext;
  readonly #event: EventPlace;
  readonly #checksum: number;
  /** The last event that began a transaction, as offsets; and when that was committed, in microseconds, or -1. */
  #transactionStart = 0;
  #transactionEnd = 0;
  #committed = -1;
  /** By index in the run's tables: null for a table that is not wanted. */
  readonly #byIndex: (TablePart | null | undefined)[] = [];
  readonly #decoderByIndex: (TableDecoder | undefined)[] = [];

  constructor(run: RawRun, context: RunContext) {
    this.#run = run;
    this.#context = context;
    this.#checksum = run.checksum ? EVENT_CHECKSUM_BYTES : 0;
    this.#event = {
      bytes: run.events,
      view: viewOf(run.events),
      start: 0,
      end: 0,
      type: 0,
      position: run.position,
      seconds: 0,
      micros: -1,
    };
    const fileNumber = fileNumberOf(run.file);
    if (fileNumber > FILE_NUMBER_MAX) {
      throw new UmbusError(
        'UMBUS_SOURCE_PROTOCOL',
        `The number of binlog file '${run.file}' is above ${FILE_NUMBER_MAX}, the largest that ums_id_ can hold.`,
        { details: { file: run.file } },
      );
    }
    context.shared.prefix.file(run.epoch, fileNumber);
  }

  all(): void {
    const { spans, tables, events } = this.#run;
    let at = 0;
    for (let i = 0; i + 1 < spans.length; i += 2) {
      const index = spans[i] ?? TRANSACTION_SPAN;
      const end = at + (spans[i + 1] ?? 0);
      if (end < at || end > events.length) throw this.#broken('its spans go beyond its events');
      if (index === TRANSACTION_SPAN) {
        this.#transaction(at, end);
      } else {
        const table = tables[index];
        if (table === undefined) throw this.#broken('a span names a table that is not there');
        if (table.table === '') this.#statements(table, index, at, end);
        else this.#rows(table, index, at, end);
      }
      at = end;
    }
    if (at !== events.length) throw this.#broken('its spans end before its events');
  }

  /** Keeps the last of the events that begin transactions: those before it have nothing in this run. */
  #transaction(start: number, end: number): void {
    let o = start;
    while (o < end) {
      const size = this.#sizeAt(o, end);
      this.#transactionStart = o;
      this.#transactionEnd = o + size;
      o += size;
    }
    this.#committed = this.#commitTime();
  }

  /** Microseconds; read in place for the two types that come with every transaction, since this runs once for each of them. */
  #commitTime(): number {
    const { bytes, view } = this.#event;
    const type = bytes[this.#transactionStart + EVENT_TYPE_AT];
    const end = this.#transactionEnd - this.#checksum;
    if (type === EventType.MARIADB_GTID) return -1;
    if (type === EventType.GTID || type === EventType.ANONYMOUS_GTID) {
      let at = this.#transactionStart + COMMIT_TIME_AT;
      if (at + COMMIT_TIME_BYTES > end) return -1;
      // The highest bit of the commit time says that the time at the first source follows, which is the one wanted.
      if (view.getUint8(at + 6) >= 0x80) at += COMMIT_TIME_BYTES;
      if (at + COMMIT_TIME_BYTES > end) return -1;
      const high = view.getUint16(at + 4, true) + (view.getUint8(at + 6) & 0x7f) * 0x1_0000;
      return high * WRAP + view.getUint32(at, true);
    }
    return parseGtidEvent(bytes, this.#transactionStart, end)?.committedMicros ?? -1;
  }

  #rows(table: RawTable, index: number, start: number, end: number): void {
    let part = this.#byIndex[index];
    if (part === undefined) {
      const kind = this.#context.signals?.kindOf(table) ?? null;
      if (kind !== null) {
        this.#signals(table, kind, start, end);
        return;
      }
      part = this.#partOf(table.schema, table.table);
      this.#byIndex[index] = part;
    }
    if (part === null) return;
    let o = start;
    while (o < end && !part.isParked) {
      try {
        const next = this.#place(o, end);
        this.#decode(part, table, index);
        o = next;
      } catch (error) {
        part.park(placed(error, part.key, this.#run.file, this.#event.position), this.#event);
      }
    }
    if (o < end) this.#park(part, index, o, end);
  }

  /** Rows of umbus's own tables: they act on tables of the schema, at their place between its rows. */
  #signals(table: RawTable, kind: SignalKind, start: number, end: number): void {
    const { signals, shared } = this.#context;
    for (let o = start; o < end; ) {
      const next = this.#place(o, end);
      signals?.take(table, kind, this.#event, {
        all: schema => this.#tablesIn(schema).map(name => this.#partOf(schema, name)),
        one: (schema, name) => this.#partOf(schema, name),
        shared,
      });
      o = next;
    }
  }

  #decode(part: TablePart, table: RawTable, index: number): void {
    const event = this.#event;
    if (!isRowsEvent(event.type)) {
      throw new UmbusError(
        'UMBUS_BINLOG_EVENT',
        `Event type ${event.type} holds rows in a form that is not decoded yet.`,
        { details: { type: event.type } },
      );
    }
    let decoder = this.#decoderByIndex[index];
    if (decoder === undefined) {
      decoder = this.#context.decoders.of(table, givenFor(table, part.given, this.#run.epoch));
      this.#decoderByIndex[index] = decoder;
    }
    part.use(decoder, event);
    part.rows(event);
  }

  /** Statements of a schema: only what they do to whole tables of it matters here. Other schemas that a statement names have a copy of their own. */
  #statements(table: RawTable, index: number, start: number, end: number): void {
    let o = start;
    while (o < end) {
      const next = this.#place(o, end);
      const { type, bytes, start: at, end: eventEnd } = this.#event;
      if (type === EventType.QUERY || type === EventType.EXECUTE_LOAD_QUERY) {
        const { schema, sql } = parseQuery(type, bytes, at + EVENT_HEADER_BYTES, eventEnd);
        if (this.#hasTakenEffect()) this.#effects(table.schema, index, sql, schema, { start: o, end: next });
      }
      o = next;
    }
  }

  #hasTakenEffect(): boolean {
    const [start, end] = [this.#transactionStart, this.#transactionEnd];
    return end <= start || hasTakenEffect(this.#event.bytes, start, end - this.#checksum);
  }

  #effects(
    owner: string,
    index: number,
    sql: string,
    defaultSchema: string,
    span: { readonly start: number; readonly end: number },
  ): void {
    const event: VersionEvent = { place: this.#event, sql };
    /** Tables that have the statement among what is parked of them. */
    const kept = new Set<TablePart>();
    const dropped = droppedSchema(sql) === owner ? this.#tablesIn(owner) : [];
    const effects: readonly TableEffect[] = [
      ...dropped.map(table => ({ kind: 'empty', reason: 'drop', table }) as const),
      ...tableEffects(sql, defaultSchema === '' ? owner : defaultSchema, owner),
    ];
    for (const effect of effects) {
      const part = this.#isHere(owner, effect.table) ? this.#partOf(owner, effect.table) : null;
      if (part === null) continue;
      if (!part.isParked) applyEffect(part, effect, event, this.#context.shared.published);
      else if (!kept.has(part)) {
        kept.add(part);
        this.#park(part, index, span.start, span.end);
      }
    }
  }

  /** Statements come to all partitions of their schema, a table is on one. */
  #isHere(schema: string, table: string): boolean {
    const { partition, settings } = this.#context.shared;
    if (settings.partitions === 1) return true;
    return tablePartition(schema, settings.logical(schema, table), settings.partitions) === partition;
  }

  #park(part: TablePart, index: number, start: number, end: number): void {
    part.parked.add(this.#event.view, {
      table: index,
      start,
      end,
      transactionStart: this.#transactionStart,
      transactionEnd: this.#transactionEnd,
    });
  }

  /** The table's part of this record; null when it is not wanted. A statement's tables that nothing is known of get one too, which changes nothing. */
  #partOf(schema: string, table: string): TablePart | null {
    const { wanted, stateOf, columnsOf, shared } = this.#context;
    if (!wanted(schema, table)) return null;
    const key = `${schema}.${table}`;
    let part = this.parts.get(key);
    if (part === undefined) {
      const before = { state: stateOf(key) ?? NEW_TABLE, columns: columnsOf(key) };
      part = new TablePart({ schema, table }, before, shared);
      this.parts.set(key, part);
    }
    return part;
  }

  #tablesIn(schema: string): readonly string[] {
    const before = `${schema}.`;
    const keys = new Set([...this.parts.keys(), ...this.#context.known()]);
    return [...keys]
      .filter(key => key.startsWith(before))
      .sort()
      .map(key => key.slice(before.length));
  }

  /** Puts the event at `o` into the shared place and returns where the next begins. */
  #place(o: number, end: number): number {
    const event = this.#event;
    const { view } = event;
    const { position, next } = this.#run;
    if (this.#committed >= 0) {
      event.seconds = Math.floor(this.#committed / MICROS);
      event.micros = this.#committed - event.seconds * MICROS;
    } else if (end - o >= EVENT_HEADER_BYTES) {
      event.seconds = view.getUint32(o, true);
      event.micros = -1;
    }
    const size = this.#sizeAt(o, end);
    const low = (view.getUint32(o + EVENT_LOG_POS_AT, true) - size) >>> 0;
    let start = position - (position % WRAP) + low;
    if (start < position) start += WRAP;
    event.start = o;
    event.end = o + size - this.#checksum;
    event.type = view.getUint8(o + EVENT_TYPE_AT);
    event.position = start;
    if (start + size > next && (view.getUint16(o + EVENT_FLAGS_AT, true) & FLAG_INFLATED) === 0) {
      throw new UmbusError(
        'UMBUS_BINLOG_EVENT',
        `The event at ${start} ends behind ${next}, where its run was closed.`,
      );
    }
    return o + size;
  }

  #sizeAt(o: number, end: number): number {
    const left = end - o;
    const size = left < EVENT_HEADER_BYTES ? 0 : this.#event.view.getUint32(o + EVENT_SIZE_AT, true);
    if (size >= EVENT_HEADER_BYTES + this.#checksum && size <= left) return size;
    throw new UmbusError('UMBUS_BINLOG_TRUNCATED', `An event of ${left} bytes at most says it has ${size}.`);
  }

  #broken(what: string): UmbusError {
    const { file, position } = this.#run;
    return new UmbusError('UMBUS_TOPOLOGY_DECODE', `The run at ${file}:${position} is damaged: ${what}.`, {
      details: { file, position },
    });
  }
}

/** The error with the table and the event's place in its message. */
function placed(error: unknown, key: string, file: string, position: number): unknown {
  if (!(error instanceof UmbusError)) return error;
  return new UmbusError(error.code, `${error.message} (Table ${key}, row event at ${file}:${position}.)`, {
    cause: error,
    details: { ...error.details, table: key, file, position },
  });
}

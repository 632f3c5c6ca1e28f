import { EVENT_HEADER_BYTES, EVENT_SIZE_AT, EVENT_TYPE_AT } from '../binlog/event-type.ts';
import { parsePacket } from '../change/heartbeat-packet.ts';
import type { RawRun, RawTable } from '../change/raw-run.ts';
import { ALL, type HeartbeatRow, signalKind } from '../change/signal-tables.ts';
import { type StatMessage, statMessage } from '../change/stat-message.ts';
import { isUmbusError } from '../core/errors.ts';
import { type LogicalName, OWN_NAME } from '../ums/namespace.ts';
import { viewOf } from '../ums/tuple-buffer.ts';
import { SignalDecoder } from './signal-rows.ts';

/** Tables counted; a line has far fewer. */
const MAX_TABLES = 10_000;
const TRANSACTION_SPAN = -1;
const CHECKSUM_BYTES = 4;

interface TableCount {
  readonly schema: string;
  readonly table: string;
  events: number;
  bytes: number;
}

/** When a run passed the dispatcher. */
export interface DispatchedAt {
  /** Microseconds since 1970-01-01 UTC. */
  readonly dispatched: number;
  readonly offset: bigint;
}

/**
 * What the dispatcher counts between two heartbeats: row events and bytes of each table, and that only while someone asks for statistics. The counts are of this life of
 * the task: they begin anew when it does. Heartbeat rows are the one thing that it reads inside events.
 */
export class DispatchStatistics {
  readonly #ds: string;
  readonly #signalSchema: string;
  readonly #decoder = new SignalDecoder();
  readonly #counts = new Map<string, TableCount>();
  readonly #logical: LogicalName;

  /** `logical`: what tables are counted as; default: each as itself. */
  constructor(ds: string, signalSchema: string, logical: LogicalName = OWN_NAME) {
    this.#ds = ds;
    this.#signalSchema = signalSchema;
    this.#logical = logical;
  }

  /** Counts a run, and gives a message for each table of each heartbeat in it. `wanted`: whether the line has a schema. */
  of(run: RawRun, at: DispatchedAt, wanted: { has(schema: string): boolean }): readonly StatMessage[] {
    const messages: StatMessage[] = [];
    const view = viewOf(run.events);
    let o = 0;
    for (let i = 0; i + 1 < run.spans.length; i += 2) {
      const table = run.tables[run.spans[i] ?? TRANSACTION_SPAN];
      const end = o + (run.spans[i + 1] ?? 0);
      if (table !== undefined && table.table !== '') {
        const kind = signalKind(this.#signalSchema, table.schema, table.table);
        if (kind === null && wanted.has(table.schema)) this.#count(table, view, o, end);
        else if (kind === 'heartbeat') messages.push(...this.#beats(run, table, view, o, end, at));
      }
      o = end;
    }
    return messages;
  }

  #count({ schema, table: physical }: RawTable, view: DataView, start: number, end: number): void {
    const table = this.#logical(schema, physical);
    const key = `${schema}.${table}`;
    let count = this.#counts.get(key);
    if (count === undefined) {
      if (this.#counts.size >= MAX_TABLES) return;
      count = { schema, table, events: 0, bytes: 0 };
      this.#counts.set(key, count);
    }
    count.bytes += end - start;
    for (let o = start; o + EVENT_HEADER_BYTES <= end; count.events++) {
      const size = view.getUint32(o + EVENT_SIZE_AT, true);
      if (size < EVENT_HEADER_BYTES) return;
      o += size;
    }
  }

  *#beats(
    run: RawRun,
    table: RawTable,
    view: DataView,
    start: number,
    end: number,
    at: DispatchedAt,
  ): Iterable<StatMessage> {
    for (let o = start; o + EVENT_HEADER_BYTES <= end; ) {
      const size = view.getUint32(o + EVENT_SIZE_AT, true);
      if (size < EVENT_HEADER_BYTES || o + size > end) return;
      const event = {
        bytes: run.events,
        view,
        start: o,
        end: o + size - (run.checksum ? CHECKSUM_BYTES : 0),
        type: view.getUint8(o + EVENT_TYPE_AT),
      };
      for (const row of this.#rows(table, event)) {
        if (row.kind === 'heartbeat' && row.ds === this.#ds) yield* this.#messages(row, run, at);
      }
      o += size;
    }
  }

  #rows(table: RawTable, event: Parameters<SignalDecoder['rows']>[2]) {
    try {
      return this.#decoder.rows(table, 'heartbeat', event);
    } catch (error) {
      // The appender counts what does not decode.
      if (isUmbusError(error)) return [];
      throw error;
    }
  }

  *#messages(row: HeartbeatRow, run: RawRun, { dispatched, offset }: DispatchedAt): Iterable<StatMessage> {
    const packet = parsePacket(row.packet);
    if (packet === null) return;
    const { beat, micros: us, skewMicros: skew } = packet;
    for (const count of this.#counts.values()) {
      const { schema, table, events, bytes } = count;
      if (row.schema !== ALL && row.schema !== schema) continue;
      if (row.table !== ALL && this.#logical(schema, row.table) !== table) continue;
      count.events = 0;
      count.bytes = 0;
      yield statMessage(
        'DISPATCH_TYPE',
        { ds: this.#ds, schema, table },
        packet,
        {
          localMicros: dispatched,
          offset: Number(offset),
          counts: { rows: events, bytes, errors: 0, warnings: 0 },
        },
        { beat, status: 'ok', skew, us, captured: run.captured, dispatched, appended: null, read: null },
      );
    }
  }
}

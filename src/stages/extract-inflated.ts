import { Buffer } from 'node:buffer';
import {
  EVENT_CHECKSUM_BYTES,
  EVENT_HEADER_BYTES,
  EVENT_LOG_POS_AT,
  EVENT_TYPE_AT,
  EventType,
} from '../binlog/event-type.ts';
import { inflatedEvent, payloadEvents, placedEvent, plainTypeOf } from '../binlog/inflate-event.ts';
import { compileRows, type RowWriter } from '../binlog/rows/compile.ts';
import { isRowsEvent, isUpdate, rowsStart } from '../binlog/rows/rows-event.ts';
import { parseTableMap } from '../binlog/table-map.ts';
import { UmbusError } from '../core/errors.ts';
import { viewOf } from '../ums/tuple-buffer.ts';
import { UTC } from '../ums/zone.ts';
import type { PlaceSpace } from './extract-space.ts';
import { type ExtractTables, type KnownTable, tableIdAt } from './extract-tables.ts';

/** An event with its place in its header. */
export interface StandingEvent {
  readonly bytes: Buffer;
  /** Before the checksum. */
  readonly bodyEnd: number;
  readonly place: number;
}

/** Whether an event of this type holds others. */
export function isCompressed(type: number): boolean {
  return type === EventType.TRANSACTION_PAYLOAD || plainTypeOf(type) !== null;
}

/** Opens compressed events and gives every event in it its place. */
export class InflatedEvents {
  readonly #tables: ExtractTables;
  readonly #space: PlaceSpace;
  /** Null for a table whose rows cannot be told apart. */
  readonly #writers = new WeakMap<KnownTable, RowWriter | null>();

  constructor(tables: ExtractTables, space: PlaceSpace) {
    this.#tables = tables;
    this.#space = space;
  }

  /**
   * What stands for an event at an offset of the file; `[start, bodyEnd)` of `bytes` is the event without checksum. The events are to be taken one by one, each before the next
   * is asked for, since one's tables are needed for the next. Errors: UMBUS_BINLOG_*.
   */
  *of(
    type: number,
    bytes: Buffer,
    start: number,
    bodyEnd: number,
    offset: number,
    checksum: boolean,
  ): Generator<StandingEvent, void, undefined> {
    if (type === EventType.TRANSACTION_PAYLOAD) {
      for (const event of payloadEvents(bytes, start + EVENT_HEADER_BYTES, bodyEnd)) {
        yield this.#standing(event, offset, checksum, this.#placesOf(event));
      }
    } else if (isCompressed(type)) {
      const event = inflatedEvent(bytes, start, bodyEnd);
      yield this.#standing(event, offset, checksum, this.#placesOf(event));
    } else {
      const event = Buffer.from(bytes.subarray(start, bodyEnd + (checksum ? EVENT_CHECKSUM_BYTES : 0)));
      const place = this.#space.placeOf(offset);
      event.writeUInt32LE((place + event.length) % 2 ** 32, EVENT_LOG_POS_AT);
      if (place > offset + this.#space.lift) this.#space.take(place, event.length);
      yield { bytes: event, bodyEnd: bodyEnd - start, place };
    }
  }

  #standing(event: Buffer, offset: number, checksum: boolean, places: number): StandingEvent {
    const place = this.#space.placeOf(offset);
    if (places > 0) this.#space.take(place, places);
    return { bytes: placedEvent(event, place, checksum), bodyEnd: event.length, place };
  }

  /** How many places an event needs: one for each row image. Bytes stand for rows where the rows cannot be counted. */
  #placesOf(event: Buffer): number {
    const type = event.readUInt8(EVENT_TYPE_AT);
    if (!isRowsEvent(type)) return type === EventType.QUERY ? 1 : 0;
    const view = viewOf(event);
    if (event.length < EVENT_HEADER_BYTES + 8) return 1;
    const table = this.#tables.get(tableIdAt(view, EVENT_HEADER_BYTES));
    const writer = table === undefined ? null : this.#writerOf(table);
    if (writer === null) return event.length;
    try {
      const at = rowsStart(event, view, 0, event.length, type, writer.columnCount);
      const rows = writer.count(event, view, at < 0 ? ~at : at, event.length, type);
      // An update that moves its row to another partition is published as two.
      return Math.max(1, isUpdate(type) ? 2 * rows : rows);
    } catch (error) {
      if (error instanceof UmbusError) return event.length; // the appender says what is wrong with the rows
      throw error;
    }
  }

  #writerOf(table: KnownTable): RowWriter | null {
    let writer = this.#writers.get(table);
    if (writer === undefined) {
      try {
        writer = compileRows(parseTableMap(table.map), { zone: UTC });
      } catch (error) {
        if (!(error instanceof UmbusError)) throw error;
        writer = null;
      }
      this.#writers.set(table, writer);
    }
    return writer;
  }
}

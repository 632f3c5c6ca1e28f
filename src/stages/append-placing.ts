import { Buffer } from 'node:buffer';
import type { RowWriter } from '../binlog/rows/compile.ts';
import { isInsert, isUpdate } from '../binlog/rows/rows-event.ts';
import { UmbusError } from '../core/errors.ts';
import { partitionOf } from '../topology/partitioner.ts';
import { type PlacingColumns, PlacingKey, placingColumns, tupleEnd } from '../ums/placing-key.ts';
import { TupleBuffer } from '../ums/tuple-buffer.ts';
import type { TuplePrefix } from '../ums/tuple-prefix.ts';
import type { EventPlace } from './append-event.ts';
import type { OpenMessage } from './append-message.ts';

/** How rows are placed on the result topic of a schema. */
export interface ResultPlacing {
  /** Of the result topic. */
  readonly partitions: number;
  /** `table`: all rows of a table where the hash of its name says. `primary-key`: each row by its key. */
  readonly placeBy: 'table' | 'primary-key';
  /** With `primary-key`: the columns that place the rows of a table in place of its primary key; null for none. */
  readonly columns: (table: string) => readonly string[] | null;
}

/** How the rows of a table are placed that are not all in one partition. */
export interface TablePlacing {
  /** Names of the placing columns in order. */
  readonly names: readonly string[];
  readonly columns: PlacingColumns;
  readonly partitions: number;
  /** The primary key's columns when others place the rows and there is a primary key. */
  readonly primaryKey: PlacingColumns | null;
  /** Whether others than the primary key's columns place the rows. */
  readonly chosen: boolean;
}

/** Larger buffers are not kept for the next event. */
const KEPT_BYTES = 4 * 1024 * 1024;

/** The partition of a table whose rows are all in one. */
export function wholePartition(schema: string, table: string, partitions: number): number {
  return partitionOf(Buffer.from(`${schema}.${table}`), partitions);
}

/**
 * How the rows of a table with these columns are placed: by the chosen columns when it has all of them, else by its primary key. Null: all rows in one
 * partition, since the topic is not placed by key or the table has neither.
 */
export function tablePlacing(
  placing: ResultPlacing | null,
  table: string,
  writer: Pick<RowWriter, 'fields' | 'primaryKey'>,
): TablePlacing | null {
  if (placing === null || placing.placeBy === 'table') return null;
  const indexesOf = (names: readonly string[]): number[] =>
    names.map(name => writer.fields.findIndex(field => field.name === name));
  const key = indexesOf(writer.primaryKey);
  const wanted = placing.columns(table);
  const chosen = wanted === null || wanted.length === 0 ? [-1] : indexesOf(wanted);
  const indexes = chosen.includes(-1) ? key : chosen;
  if (indexes.length === 0) return null;
  const byKey = indexes.join() === key.join();
  return {
    names: indexes.map(index => writer.fields[index]?.name ?? ''),
    columns: placingColumns(indexes),
    partitions: placing.partitions,
    primaryKey: byKey || key.length === 0 ? null : placingColumns(key),
    chosen: !byKey,
  };
}

/** Of row images that may lack the columns which place the rows. `key`: `schema.table`. */
export function placesByOthers(key: string): UmbusError {
  return new UmbusError(
    'UMBUS_SOURCE_SETTING',
    `The row images of ${key} lack columns, and its rows are placed by others than its primary key: run SET GLOBAL binlog_row_image = FULL on the source and let its sessions connect anew, then load the table again.`,
    { details: { table: key } },
  );
}

/** How many rows of an event were written, by what they are in the messages. */
export interface PlacedRows {
  readonly inserts: number;
  readonly updates: number;
  readonly deletes: number;
  /** Row index of the last of them, as `ums_id_` counts; -1 for none. */
  readonly last: number;
  /** Values written as marks. */
  readonly marks: number;
}

/** A row event on its way to several partitions. */
export interface PlacedEvent {
  readonly event: EventPlace;
  /** Where its rows begin. */
  readonly from: number;
  readonly writer: RowWriter;
  readonly placing: TablePlacing;
  /** Whether every update carries its before image. */
  readonly pairs: boolean;
  /** The open message of a partition, ready to take rows of the event. */
  readonly messageOf: (partition: number) => OpenMessage;
}

/** Writes the rows of events to the partitions that their keys say, row by row. Keeps nothing between events that the rows depend on. */
export class RowPlacer {
  readonly #prefix: TuplePrefix;
  readonly #key = new PlacingKey();
  #row = new TupleBuffer();

  constructor(prefix: TuplePrefix) {
    this.#prefix = prefix;
  }

  /**
   * Writes the rows of an event, whose time the prefix has. In updates the row index counts both images, so that the delete and the insert of a changed key have an
   * `ums_id_` each. Errors: those of `WriteRows`; some rows may have been written then.
   */
  place(work: PlacedEvent): PlacedRows {
    if (this.#row.bytes.length > KEPT_BYTES) this.#row = new TupleBuffer();
    const marks = this.#row.marks;
    const done = isUpdate(work.event.type) ? this.#updates(work) : this.#rows(work);
    return { ...done, marks: this.#row.marks - marks };
  }

  #rows({ event, from, writer, placing, messageOf }: PlacedEvent): Omit<PlacedRows, 'marks'> {
    const inserts = isInsert(event.type);
    const { columns, partitions } = placing;
    const key = this.#key;
    const row = this.#row;
    const prefix = this.#prefix;
    const { bytes, view, end } = event;
    prefix.event(event.position, inserts ? 'i' : 'd');
    let count = 0;
    for (let o = from; o < end; count++) {
      const first = prefix.length;
      row.length = 0;
      o = writer.rows(bytes, view, o, end, row, prefix, 1, Number.POSITIVE_INFINITY);
      key.read(row.bytes, first, columns);
      messageOf(key.partition(partitions)).add(row, row.length, 1);
    }
    return { inserts: inserts ? count : 0, updates: 0, deletes: inserts ? 0 : count, last: count - 1 };
  }

  #updates(work: PlacedEvent): Omit<PlacedRows, 'marks'> {
    const { event, from, writer, placing, pairs, messageOf } = work;
    const row = this.#row;
    const prefix = this.#prefix;
    const key = this.#key;
    const write = pairs || placing.chosen ? writer.pairs : writer.updates;
    const { bytes, view, end } = event;
    let moved = 0;
    let count = 0;
    prefix.event(event.position + 1, 'u');
    for (let o = from; o < end; count++) {
      const start = o;
      const first = prefix.length;
      row.length = 0;
      o = write(bytes, view, o, end, row, prefix, 1, Number.POSITIVE_INFINITY);
      if (row.lastTuples === 1) {
        key.read(row.bytes, first, placing.columns);
        messageOf(key.partition(placing.partitions)).add(row, row.length, 1);
        prefix.next();
      } else if (this.#stays(work, first)) {
        prefix.next();
      } else {
        moved++;
        this.#move(work, start, 2 * count);
        prefix.event(event.position + 2 * count + 3, 'u');
      }
    }
    return { inserts: moved, updates: count - moved, deletes: moved, last: 2 * count - 1 };
  }

  /** Takes an update with its before image when the placing key is the same in both; false when it is not. */
  #stays({ placing, pairs, messageOf }: PlacedEvent, first: number): boolean {
    const row = this.#row;
    const key = this.#key;
    const end = tupleEnd(row.bytes, key.read(row.bytes, first, placing.columns));
    const partition = key.partition(placing.partitions);
    const before = key.copy();
    key.read(row.bytes, end + first, placing.columns);
    if (!key.equals(before)) return false;
    const message = messageOf(partition);
    if (pairs || placing.primaryKey === null || this.#rekeyed(placing.primaryKey, first, end)) {
      message.add(row, row.length, 2);
      return true;
    }
    row.bytes.copyWithin(0, end, row.length);
    message.add(row, row.length - end, 1);
    return true;
  }

  #rekeyed(primaryKey: PlacingColumns, first: number, end: number): boolean {
    this.#key.read(this.#row.bytes, first, primaryKey);
    const before = this.#key.copy();
    this.#key.read(this.#row.bytes, end + first, primaryKey);
    return !this.#key.equals(before);
  }

  /** Writes an update as the delete of the old row and the insert of the new one. */
  #move({ event, writer, placing, messageOf }: PlacedEvent, from: number, index: number): void {
    const row = this.#row;
    const prefix = this.#prefix;
    const key = this.#key;
    const { bytes, view, end } = event;
    let o = from;
    for (const operation of ['d', 'i'] as const) {
      prefix.event(event.position + index + (operation === 'd' ? 0 : 1), operation);
      const first = prefix.length;
      row.length = 0;
      o = writer.rows(bytes, view, o, end, row, prefix, 1, Number.POSITIVE_INFINITY);
      key.read(row.bytes, first, placing.columns);
      messageOf(key.partition(placing.partitions)).add(row, row.length, 1);
    }
  }
}

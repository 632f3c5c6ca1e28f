import { isUpdate } from '../binlog/rows/rows-event.ts';
import { PlacingKey, placingColumns, tupleEnd } from '../ums/placing-key.ts';
import { TupleBuffer } from '../ums/tuple-buffer.ts';
import type { TuplePrefix } from '../ums/tuple-prefix.ts';
import type { TableDecoder } from './append-decoders.ts';
import type { EventPlace } from './append-event.ts';
import type { PullDesk } from './append-pull.ts';

/** Is told of the rows that change. */
export interface ChangeWatch {
  /** Rows of an event were taken, which begin at `from`. `decoder`: of its images; null for images that lack columns. */
  changed(key: string, event: EventPlace, from: number, decoder: TableDecoder | null): void;
}

/** Tells a desk the keys of rows that change while a full pull reads their table: of each image, since a key may change too. */
export class KeyWatch implements ChangeWatch {
  readonly #desk: PullDesk;
  readonly #prefix: TuplePrefix;
  #row: TupleBuffer | null = null;
  #key: PlacingKey | null = null;

  /** `prefix`: has the epoch and the file of the events. */
  constructor(desk: PullDesk, prefix: TuplePrefix) {
    this.#desk = desk;
    this.#prefix = prefix;
  }

  changed(key: string, event: EventPlace, from: number, decoder: TableDecoder | null): void {
    if (!this.#desk.windows.watches(key)) return;
    if (decoder === null) {
      // What a pulled row has of the columns that the image lacks would be lost with it.
      this.#desk.windows.voidAll(key, 'a row image lacks columns: the source needs binlog_row_image = FULL');
      return;
    }
    const { writer } = decoder;
    if (writer.primaryKey.length === 0) {
      this.#desk.windows.voidAll(key, 'it changed, and has no key to tell which rows');
      return;
    }
    this.#desk.keyed(key, decoder.keyedBy);
    const columns = placingColumns(
      writer.primaryKey.map(name => writer.fields.findIndex(field => field.name === name)),
    );
    const { bytes, view, end, type } = event;
    const place = { ...this.#prefix.place, position: event.position };
    const write = isUpdate(type) ? writer.pairs : writer.rows;
    // Most records change no table that is pulled.
    this.#row ??= new TupleBuffer();
    this.#key ??= new PlacingKey();
    const row = this.#row;
    const rowKey = this.#key;
    this.#prefix.event(event.position, 'i');
    for (let o = from; o < end; ) {
      row.clear();
      o = write(bytes, view, o, end, row, this.#prefix, 1, Number.POSITIVE_INFINITY);
      for (let at = 0; at < row.length; ) {
        const read = rowKey.read(row.bytes, at + this.#prefix.length, columns);
        this.#desk.windows.changed(key, rowKey.copy().toString('utf8'), place);
        at = tupleEnd(row.bytes, read);
      }
    }
  }
}

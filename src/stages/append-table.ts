import type { Buffer } from 'node:buffer';
import { isInsert, isUpdate, rowsStart } from '../binlog/rows/rows-event.ts';
import type { FullName } from '../change/table-effects.ts';
import { isUmbusError, messageOf, UmbusError } from '../core/errors.ts';
import { dataMessage, messageKey } from '../ums/message.ts';
import { namespaceOf, publishedName, resultTopicOf, type TableName } from '../ums/namespace.ts';
import type { TableSchema } from '../ums/table-schema.ts';
import type { TupleBuffer } from '../ums/tuple-buffer.ts';
import { TableCounts } from './append-counts.ts';
import type { TableDecoder } from './append-decoders.ts';
import { type EventPlace, timeMsOf } from './append-event.ts';
import { type EmitTuples, OpenMessage } from './append-message.ts';
import type { AppendOutput } from './append-options.ts';
import type { PageTarget } from './append-page-rows.ts';
import { ParkedPieces } from './append-park.ts';
import { placesByOthers, type ResultPlacing, type TablePlacing, tablePlacing } from './append-placing.ts';
import { type AppendShared, type MakeBeat, send } from './append-shared.ts';
import { hasBeats, type ParkedState, type TableState } from './append-state.ts';
import { TableVersions } from './append-versions.ts';

export type { AppendShared, MakeBeat } from './append-shared.ts';

const ENVELOPE_END_BYTES = 1;

/** One table within one record: its rows so far, and the state that it will have after the record. */
export class TablePart {
  readonly key: string;
  readonly schema: string;
  readonly table: string;
  /** What its messages call it. */
  readonly published: Required<TableName>;
  readonly #shared: AppendShared;
  readonly #allPairs: boolean;
  readonly parked = new ParkedPieces();
  readonly #before: { readonly state: TableState; readonly columns: TableSchema | null };
  readonly #versions: TableVersions;
  #parkedState: ParkedState | null;
  #decoder: TableDecoder | null = null;
  readonly #placing: ResultPlacing | null;
  /** How rows are placed with the decoder in use; null: all in the table's own partition. */
  #placed: TablePlacing | null = null;
  /** By partition. */
  readonly #open: (OpenMessage | undefined)[] = [];
  /** Buffers of pages. */
  readonly #lent: TupleBuffer[] = [];
  readonly #emitTuples: EmitTuples;
  readonly #counts = new TableCounts();

  constructor(
    { schema, table }: FullName,
    before: { readonly state: TableState; readonly columns: TableSchema | null },
    shared: AppendShared,
  ) {
    this.key = `${schema}.${table}`;
    this.schema = schema;
    this.table = table;
    this.published = publishedName(shared.settings.logical, { schema, table });
    this.#before = before;
    this.#parkedState = before.state.parked;
    this.#shared = shared;
    this.#allPairs = shared.settings.beforeImage(schema, table);
    this.#placing = shared.settings.result(schema);
    this.#versions = new TableVersions({ schema, table }, before, shared, output => this.#write(output));
    this.#emitTuples = (partition, buffer, start, end, timeMs) =>
      this.#emit(partition, buffer.bytes.subarray(start, end), timeMs);
  }

  /** Whether the table is parked, from before or since an event of this record. */
  get isParked(): boolean {
    return this.#parkedState !== null;
  }

  /** Whether anything was published of the table, so that consumers can have rows of it. */
  get isKnown(): boolean {
    return this.#versions.state.fingerprint !== '';
  }

  /** Whether consumers can have rows under its name, or a pull is about to give them some: published, or moved there with a renamed table. */
  get hasReaders(): boolean {
    const moved = this.#versions.state.pending?.rows === 'moved';
    return this.isKnown || moved || this.#shared.pulls?.isOpen(this.key) === true;
  }

  /** Whether a tool for online changes has put it aside, and nothing has come of it yet. */
  get isAside(): boolean {
    return this.#versions.state.aside !== undefined;
  }

  /** Whether it was put aside under this name. */
  isPutAsideAs({ schema, table }: FullName): boolean {
    const to = this.#versions.state.aside?.to;
    return to?.schema === schema && to.table === table;
  }

  /** Whether heartbeats of all tables concern it. */
  get beats(): boolean {
    return this.isParked || hasBeats(this.#versions.state);
  }

  /** Whether the source has named the table, which then has heartbeats without rows too. */
  name(named: boolean): void {
    if (named && !this.beats) this.#versions.update({ beats: true });
    else if (!named) this.#versions.forget();
  }

  /** Columns that were given for rows of it whose columns are not known; undefined for none. */
  get given(): TableState['given'] {
    return this.#versions.state.given;
  }

  get version(): number {
    return this.#versions.state.version;
  }

  /** A full pull of this number begins. */
  beginBatch(batch: number): void {
    this.#flush();
    this.#versions.update({ batch });
  }

  /** Takes rows of a full pull, as {@link writePage} writes them. Returns how many there are. */
  pulled(write: (page: PageTarget) => number): number {
    const { state, home } = this.#versions;
    const { version, innerVersion, batch = 0 } = state;
    const name = { schema: this.schema, table: this.table };
    const push = this.#push.bind(this);
    const lend = (): TupleBuffer => {
      const buffer = this.#shared.lend();
      this.#lent.push(buffer);
      return buffer;
    };
    const rows = write({ ...name, version, innerVersion, batch, home, placing: this.#placed, lend, push });
    this.#versions.update({ pulled: (state.pulled ?? 0) + rows });
    return rows;
  }

  /** Its state with all rows so far, which are in messages then. */
  settled(): TableState {
    this.#flush();
    return this.#counted();
  }

  /**
   * Writes such a message behind all rows so far, on each partition that can have rows of the table. It does not count as one of the table's. `part`: part 7 of its namespace; default that of the
   * table; `version`: default that of the table.
   */
  beat(make: MakeBeat, part = this.published.part, version = this.version): void {
    this.#flush();
    const { settings } = this.#shared;
    const { schema, table } = this.published;
    const made = make(namespaceOf(settings.ds, { schema, table, part }, version));
    if (made === null) return;
    const { stat, ...message } = made;
    const output = { topic: resultTopicOf(settings.ds, schema), schema, table, ...message };
    for (const [i, partition] of this.#versions
      .partitions(this.#placing?.placeBy === 'primary-key')
      .entries()) {
      send(this.#shared, this.key, { ...output, partition, ...(i === 0 && stat !== undefined && { stat }) });
    }
  }

  /** Whether rows with this decoder would end the version. */
  endsWith(decoder: TableDecoder): boolean {
    return this.#versions.endsWith(decoder, tablePlacing(this.#placing, this.table, decoder.writer)?.names);
  }

  /** Decodes with another table map from here on; ends the version when the columns say so. */
  use(decoder: TableDecoder, event: EventPlace): void {
    if (this.#decoder === decoder) return;
    this.#refuse(decoder);
    this.#flush();
    const placed = tablePlacing(this.#placing, this.table, decoder.writer);
    this.#versions.begin(decoder, placed?.names, event);
    this.#decoder = decoder;
    this.#placed = placed;
  }

  /** Throws when rows with these columns cannot be published. Before anything of them is taken, so that the version stays open for the replay. */
  #refuse({ writer, wide }: TableDecoder): void {
    const refusal = this.#shared.settings.refused({
      schema: this.schema,
      table: this.published.table,
      columns: writer.fields,
      primaryKey: writer.primaryKey,
      wide,
    });
    if (refusal !== null) throw refusal;
  }

  /** Decodes a row event with the table map in use. When it throws, no row of the event was taken. Errors: those of `rowsStart` and `WriteRows`. */
  rows(event: EventPlace): void {
    const decoder = this.#decoder;
    if (decoder === null) throw new UmbusError('UMBUS_INTERNAL', `Table ${this.key} has no decoder in use.`);
    const { prefix, settings } = this.#shared;
    const { bytes, view, start, end, type } = event;
    const at = rowsStart(bytes, view, start, end, type, decoder.writer.columnCount);
    const from = at < 0 ? ~at : at;
    const rows = at < 0 ? { writer: this.#partialWriter(decoder, from, type) } : decoder;
    prefix.time(event.seconds, event.micros);
    const header = decoder.header(this.#versions.state).bytes.length;
    const most = Math.max(1, settings.maxBytes - header - ENVELOPE_END_BYTES);
    const last =
      this.#placed === null
        ? this.#wholeRows(event, from, most, rows)
        : this.#placedRows(event, from, most, rows, this.#placed);
    if (last < 0) return;
    this.#shared.watch?.changed(this.key, event, from, at < 0 ? null : decoder);
    this.#counts.last(event, last);
  }

  /** Its versions, at a place where something happens to the table as a whole: the rows before are in messages then. */
  boundary(): TableVersions {
    this.#flush();
    // What comes next is looked at anew, even if the columns are the same.
    this.#decoder = null;
    return this.#versions;
  }

  /** Marks the table as parked. The caller adds the event, and all later ones, to `parked`. */
  park(error: unknown, event: EventPlace): void {
    const { prefix } = this.#shared;
    prefix.time(event.seconds, event.micros);
    this.#parkedState = {
      since: prefix.timeText(),
      code: isUmbusError(error) ? error.code : 'UMBUS_INTERNAL',
      message: messageOf(error),
      events: 0,
    };
  }

  /** Writes out what is left, and gives the state after the record, whether it differs from the one before, and the buffers that were lent. */
  finish(): {
    readonly state: TableState;
    readonly changed: boolean;
    /** Its columns when they are others than before the record; null when there are none now. Absent: as before. */
    readonly columns?: TableSchema | null;
    readonly buffers: readonly TupleBuffer[];
  } {
    this.#flush();
    const { state, columns } = this.#versions;
    return {
      buffers: [...this.#lent, ...this.#open.flatMap(open => open?.buffer ?? [])],
      changed: state !== this.#before.state || this.#counts.messages > 0 || this.parked.events > 0,
      ...(columns !== this.#before.columns && { columns }),
      state: this.#counted(),
    };
  }

  /** The state with what was written so far. */
  #counted(): TableState {
    const parked = this.#parkedState;
    return {
      ...this.#counts.in(this.#versions.state, this.#shared.prefix),
      parked: parked === null ? null : { ...parked, events: parked.events + this.parked.events },
    };
  }

  /** For an event whose images lack columns. The primary key's are there in any case, others that place rows may not be. */
  #partialWriter({ writer }: TableDecoder, from: number, type: number): TableDecoder['writer'] {
    if (this.#placed?.chosen !== true) return writer.partial(from, type);
    throw placesByOthers(this.key);
  }

  /** Writes the rows of an event to the table's partition; gives the row index of the last, -1 for none. */
  #wholeRows(
    event: EventPlace,
    from: number,
    most: number,
    { writer }: Pick<TableDecoder, 'writer'>,
  ): number {
    const { prefix } = this.#shared;
    const { bytes, view, end, type } = event;
    const update = isUpdate(type);
    prefix.event(event.position, update ? 'u' : isInsert(type) ? 'i' : 'd');
    const pairs = this.#allPairs || writer.primaryKey.length === 0;
    const write = update ? (pairs ? writer.pairs : writer.updates) : writer.rows;
    const message = this.#messageOf(this.#versions.home);
    const { buffer } = message;
    const rowsBefore = buffer.rows;
    const marksBefore = buffer.marks;
    message.begin(timeMsOf(event), most);
    try {
      for (let o = from; o < end; ) {
        const before = buffer.tuples;
        o = write(bytes, view, o, end, buffer, prefix, message.room, message.full);
        message.wrote(buffer.tuples - before);
      }
    } catch (error) {
      message.undo();
      throw error;
    }
    message.end();
    const rows = buffer.rows - rowsBefore;
    this.#counts.rowsOf(type, rows, buffer.marks - marksBefore);
    return rows - 1;
  }

  /** Writes the rows of an event to the partitions of their keys; gives the row index of the last, -1 for none. */
  #placedRows(
    event: EventPlace,
    from: number,
    most: number,
    { writer }: Pick<TableDecoder, 'writer'>,
    placing: TablePlacing,
  ): number {
    const timeMs = timeMsOf(event);
    const begun: (OpenMessage | undefined)[] = [];
    const messageOf = (partition: number): OpenMessage => {
      const known = begun[partition];
      if (known !== undefined) return known;
      const message = this.#messageOf(partition);
      message.begin(timeMs, most);
      begun[partition] = message;
      return message;
    };
    const pairs = this.#allPairs || writer.primaryKey.length === 0;
    try {
      const done = this.#shared.placer.place({ event, from, writer, placing, pairs, messageOf });
      this.#counts.rows(done);
      for (const message of begun) message?.end();
      return done.last;
    } catch (error) {
      for (const message of begun) message?.undo();
      throw error;
    }
  }

  #messageOf(partition: number): OpenMessage {
    const known = this.#open[partition];
    if (known !== undefined) return known;
    const { lend, settings } = this.#shared;
    const message = new OpenMessage(partition, lend(), settings.maxRows, this.#emitTuples);
    this.#open[partition] = message;
    return message;
  }

  /** Makes a message of tuples. */
  #emit(partition: number, tuples: Buffer, timeMs: number): void {
    if (this.#decoder === null) return;
    const { namespace, bytes } = this.#decoder.header(this.#versions.state);
    const key = messageKey('data_increment_data', namespace, timeMs, this.#shared.settings.ds);
    this.#push(partition, key, dataMessage(bytes, tuples), this.#decoder.wide);
  }

  #flush(): void {
    for (const message of this.#open) message?.flush();
  }

  #push(partition: number, key: Buffer, value: Buffer, wide: readonly string[] = []): void {
    const { settings } = this.#shared;
    const topic = resultTopicOf(settings.ds, this.schema);
    const output = { topic, schema: this.schema, table: this.published.table, partition, key, value };
    this.#write(wide.length === 0 ? output : { ...output, wide });
  }

  #write(output: AppendOutput): void {
    if (output.notice !== true) this.#counts.message(output.value.length);
    send(this.#shared, this.key, output);
  }
}

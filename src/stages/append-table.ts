import type { Buffer } from 'node:buffer';
import { isInsert, isUpdate, rowsStart } from '../binlog/rows/rows-event.ts';
import { isUmbusError, messageOf, UmbusError } from '../core/errors.ts';
import { dataMessage, messageKey, terminationMessage } from '../ums/message.ts';
import { namespaceOf, resultTopicOf } from '../ums/namespace.ts';
import type { TupleBuffer } from '../ums/tuple-buffer.ts';
import type { TuplePrefix } from '../ums/tuple-prefix.ts';
import type { UmsTerminationReason } from '../ums/types.ts';
import type { TableDecoder } from './append-decoders.ts';
import type { AppendOutput, AppendSettings } from './append-options.ts';
import { ParkedPieces } from './append-park.ts';
import { sameVersion, type TableState } from './append-state.ts';

/** The row event that is decoded. One object, filled anew for each event. */
export interface EventPlace {
  /** The run's events and their view. */
  readonly bytes: Buffer;
  readonly view: DataView;
  /** Offsets of the event in them; `end` is before the checksum. */
  start: number;
  end: number;
  type: number;
  /** File offset of the event. */
  position: number;
  /** When it was committed: whole seconds since 1970-01-01 UTC, and the microseconds within, or -1 when not known. */
  seconds: number;
  micros: number;
}

/** What all tables of a record share. */
export interface AppendShared {
  readonly settings: AppendSettings;
  readonly prefix: TuplePrefix;
  readonly outputs: AppendOutput[];
  /** Lends a buffer; it comes back at the end of the record. */
  readonly lend: () => TupleBuffer;
}

/** A message's share of the buffer: up to `end`, with the time of its first tuple. */
interface Cut {
  readonly end: number;
  readonly timeMs: number;
}

const ENVELOPE_END_BYTES = 1;

/** One table within one record: its rows so far, and the state that it will have after the record. */
export class TablePart {
  readonly key: string;
  readonly #schema: string;
  readonly #table: string;
  readonly #shared: AppendShared;
  readonly #allPairs: boolean;
  readonly parked = new ParkedPieces();
  readonly #stateBefore: TableState;
  #state: TableState;
  #decoder: TableDecoder | null = null;
  #buffer: TupleBuffer | null = null;
  /** Where the open message begins in the buffer, how many tuples it has, and its first tuple's time. */
  #messageStart = 0;
  #messageTuples = 0;
  #messageTimeMs = 0;
  #inserts = 0;
  #updates = 0;
  #deletes = 0;
  #messages = 0;
  /** Position of the row decoded last, and its time. */
  #lastRow = -1;
  #lastSeconds = 0;
  #lastMicros = -1;

  constructor(schema: string, table: string, state: TableState, shared: AppendShared) {
    this.key = `${schema}.${table}`;
    this.#schema = schema;
    this.#table = table;
    this.#stateBefore = state;
    this.#state = state;
    this.#shared = shared;
    this.#allPairs = shared.settings.beforeImage(schema, table);
  }

  /** Whether the table is parked, from before or since an event of this record. */
  get isParked(): boolean {
    return this.#state.parked !== null;
  }

  /** Whether anything was published of the table, so that consumers can have rows of it. */
  get isKnown(): boolean {
    return this.#state.fingerprint !== '';
  }

  /** Decodes with another table map from here on; ends the version when the columns say so. */
  use(decoder: TableDecoder, event: EventPlace): void {
    if (this.#decoder === decoder) return;
    this.#flush();
    const { fingerprint, columns } = this.#state;
    if (fingerprint !== '' && fingerprint !== decoder.fingerprint && !sameVersion(columns, decoder.columns)) {
      this.#terminate('schema', event);
    }
    if (fingerprint !== decoder.fingerprint) {
      this.#state = { ...this.#state, fingerprint: decoder.fingerprint, columns: decoder.columns };
    }
    this.#decoder = decoder;
  }

  /** Decodes a row event with the table map in use. When it throws, no row of the event was taken. Errors: those of `rowsStart` and `WriteRows`. */
  rows(event: EventPlace): void {
    const decoder = this.#decoder;
    if (decoder === null) throw new UmbusError('UMBUS_INTERNAL', `Table ${this.key} has no decoder in use.`);
    const { writer } = decoder;
    const { prefix } = this.#shared;
    const { bytes, view, start, end, type } = event;
    const update = isUpdate(type);
    const o = rowsStart(bytes, view, start, end, type, writer.columnCount);
    const buffer = this.#open(event);
    prefix.time(event.seconds, event.micros);
    prefix.event(event.position, update ? 'u' : isInsert(type) ? 'i' : 'd');
    const pairs = this.#allPairs || writer.primaryKey.length === 0;
    const write = update ? (pairs ? writer.pairs : writer.updates) : writer.rows;
    const rowsBefore = buffer.rows;
    this.#decode(write, event, o, buffer, decoder);
    const rows = buffer.rows - rowsBefore;
    if (rows === 0) return;
    if (update) this.#updates += rows;
    else if (isInsert(type)) this.#inserts += rows;
    else this.#deletes += rows;
    this.#lastRow = event.position + rows - 1;
    this.#lastSeconds = event.seconds;
    this.#lastMicros = event.micros;
  }

  /** Ends the version because the table was emptied or dropped. */
  empty(reason: 'truncate' | 'drop', event: EventPlace): void {
    this.#flush();
    this.#terminate(reason, event);
    // After a DROP the next table map begins the version that was opened here, whatever its columns.
    if (reason !== 'drop') return;
    this.#state = { ...this.#state, fingerprint: '', columns: [] };
    // Made again just as it was, the table would otherwise count as in use and stay unknown.
    this.#decoder = null;
  }

  /** Marks the table as parked. The caller adds the event, and all later ones, to `parked`. */
  park(error: unknown, event: EventPlace): void {
    const { prefix } = this.#shared;
    prefix.time(event.seconds, event.micros);
    this.#state = {
      ...this.#state,
      parked: {
        since: prefix.timeText(),
        code: isUmbusError(error) ? error.code : 'UMBUS_INTERNAL',
        message: messageOf(error),
        events: 0,
      },
    };
  }

  /** Writes out what is left, and gives the state after the record, whether it differs from the one before, and the buffer that was lent. */
  finish(): { readonly state: TableState; readonly changed: boolean; readonly buffer: TupleBuffer | null } {
    this.#flush();
    const state = this.#state;
    const { prefix } = this.#shared;
    let { lastUmsId, lastTs } = state;
    if (this.#lastRow >= 0) {
      prefix.time(this.#lastSeconds, this.#lastMicros);
      prefix.event(this.#lastRow, 'i');
      lastUmsId = prefix.idText();
      lastTs = prefix.timeText();
    }
    return {
      buffer: this.#buffer,
      changed: state !== this.#stateBefore || this.#messages > 0 || this.parked.events > 0,
      state: {
        ...state,
        inserts: state.inserts + this.#inserts,
        updates: state.updates + this.#updates,
        deletes: state.deletes + this.#deletes,
        messages: state.messages + this.#messages,
        lastUmsId,
        lastTs,
        parked:
          state.parked === null
            ? null
            : { ...state.parked, events: state.parked.events + this.parked.events },
      },
    };
  }

  #open(event: EventPlace): TupleBuffer {
    this.#buffer ??= this.#shared.lend();
    if (this.#messageTuples === 0) this.#messageTimeMs = timeMsOf(event);
    return this.#buffer;
  }

  /** Writes the rows of an event, with cuts where a message is full, which become messages only when the whole event is good. */
  #decode(
    write: TableDecoder['writer']['rows'],
    event: EventPlace,
    from: number,
    buffer: TupleBuffer,
    decoder: TableDecoder,
  ): void {
    const { maxRows, maxBytes } = this.#shared.settings;
    const header = decoder.header(this.#state.version).bytes.length;
    const most = Math.max(1, maxBytes - header - ENVELOPE_END_BYTES);
    const { length, tuples, rows } = buffer;
    let cuts: Cut[] | null = null;
    let start = this.#messageStart;
    let count = this.#messageTuples;
    let timeMs = this.#messageTimeMs;
    let o = from;
    try {
      while (o < event.end) {
        const before = buffer.tuples;
        o = write(
          event.bytes,
          event.view,
          o,
          event.end,
          buffer,
          this.#shared.prefix,
          maxRows - count,
          start + most,
        );
        count += buffer.tuples - before;
        if (buffer.length - start > most && count > buffer.lastTuples) {
          start = buffer.lastStart;
          count = buffer.lastTuples;
          cuts ??= [];
          cuts.push({ end: start, timeMs });
          timeMs = timeMsOf(event);
        }
        if (buffer.length - start >= most || count >= maxRows) {
          start = buffer.length;
          count = 0;
          cuts ??= [];
          cuts.push({ end: start, timeMs });
          timeMs = timeMsOf(event);
        }
      }
    } catch (error) {
      buffer.length = length;
      buffer.tuples = tuples;
      buffer.rows = rows;
      throw error;
    }
    this.#messageTuples = count;
    if (cuts === null) return;
    for (const cut of cuts) this.#emit(buffer, cut);
    this.#messageTimeMs = timeMs;
    this.#moveDown(buffer);
  }

  /** Makes the message up to a cut. */
  #emit(buffer: TupleBuffer, cut: Cut): void {
    if (this.#decoder === null) return;
    const { namespace, bytes } = this.#decoder.header(this.#state.version);
    const value = dataMessage(bytes, buffer.bytes.subarray(this.#messageStart, cut.end));
    this.#messageStart = cut.end;
    this.#push(messageKey('data_increment_data', namespace, cut.timeMs, this.#shared.settings.ds), value);
  }

  /** Moves the open message to the front of the buffer. */
  #moveDown(buffer: TupleBuffer): void {
    buffer.bytes.copyWithin(0, this.#messageStart, buffer.length);
    buffer.length -= this.#messageStart;
    this.#messageStart = 0;
  }

  #flush(): void {
    const buffer = this.#buffer;
    if (buffer === null || this.#messageTuples === 0) return;
    this.#emit(buffer, { end: buffer.length, timeMs: this.#messageTimeMs });
    this.#moveDown(buffer);
    this.#messageTuples = 0;
  }

  /** Says that the version has ended, and opens the next. */
  #terminate(reason: UmsTerminationReason, event: EventPlace): void {
    const { prefix, settings } = this.#shared;
    const { version } = this.#state;
    const namespace = namespaceOf(settings.ds, { schema: this.#schema, table: this.#table }, version);
    prefix.time(event.seconds, event.micros);
    this.#push(
      messageKey('data_increment_termination', namespace, timeMsOf(event), settings.ds),
      terminationMessage(namespace, prefix.timeText(), reason),
    );
    this.#state = { ...this.#state, version: version + 1 };
  }

  #push(key: Buffer, value: Buffer): void {
    const { outputs, settings } = this.#shared;
    this.#messages++;
    outputs.push({ topic: resultTopicOf(settings.ds, this.#schema), schema: this.#schema, key, value });
  }
}

function timeMsOf(event: EventPlace): number {
  return event.seconds * 1000 + (event.micros < 0 ? 0 : Math.floor(event.micros / 1000));
}

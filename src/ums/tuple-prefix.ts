import { Buffer } from 'node:buffer';
import { writeInteger, writePadded } from './digits.ts';
import { POSITION_DIGITS, UID_ID_DIGITS, umsIdOf } from './ids.ts';
import { DATE_TIME_BYTES, writeDateTime } from './time-text.ts';
import { viewOf } from './tuple-buffer.ts';
import type { UmsOperation } from './types.ts';
import { UTC, type Zone } from './zone.ts';

/** No prefix is longer than this: text 62, ids 20 + 31, time 26. */
export const TUPLE_PREFIX_BYTES = 160;

const LOW_DIGITS = 6;
const LOW_LIMIT = 1_000_000;
const HIGH_DIGITS = POSITION_DIGITS - LOW_DIGITS;
const FILE_DIGITS = UID_ID_DIGITS - POSITION_DIGITS;
const OPENING = Buffer.from('{"tuple":["', 'latin1');

/**
 * The start of every tuple: `{"tuple":["<ums_id_>","<ums_ts_>","<ums_op_>","<ums_uid_>"`. Made once an event and copied for
 * each of its rows; between rows only the last six digits of the ids change.
 *
 * Life: `file` once a run, `time` once a transaction, `event` once a row event, then `put` and `next` for each row.
 */
export class TuplePrefix {
  readonly #bytes = Buffer.alloc(TUPLE_PREFIX_BYTES);
  readonly #view = viewOf(this.#bytes);
  readonly #zone: Zone;
  /** `ums_ts_` with its quotes and comma, as in the tuple. */
  readonly #time = Buffer.alloc(32);
  #timeLength = 0;
  #seconds = -1;
  #epoch = 1;
  #fileNumber = 0;
  #high = 0;
  #low = 0;
  /** Where the last six digits of the two ids end, and the operation and image digit stand. */
  #idEnd = 0;
  #uidEnd = 0;
  #operationAt = 0;
  #length = 0;
  /** Whether all rows have the same ids. */
  #fixed = false;

  constructor(zone: Zone = UTC) {
    this.#zone = zone;
  }

  /** Sets the epoch and the binlog file of the events that follow. The number is at most FILE_NUMBER_MAX of ids.ts. */
  file(epoch: number, fileNumber: number): void {
    this.#epoch = epoch;
    this.#fileNumber = fileNumber;
  }

  /** What {@link file} was told last. */
  get place(): { readonly epoch: number; readonly fileNumber: number } {
    return { epoch: this.#epoch, fileNumber: this.#fileNumber };
  }

  /**
   * Sets `ums_ts_`: whole seconds since 1970-01-01 UTC and the microseconds within the second, or -1 when the source
   * gives whole seconds only. Written with six digits, or with three in the latter case.
   */
  time(seconds: number, micros: number): void {
    const t = this.#time;
    if (seconds !== this.#seconds) {
      this.#seconds = seconds;
      writeDateTime(seconds + this.#zone.offsetAt(seconds), t, 0);
      t[DATE_TIME_BYTES] = 46;
    }
    const p = DATE_TIME_BYTES + 1;
    this.#timeLength = micros < 0 ? writePadded(0, 3, t, p) : writePadded(micros, 6, t, p);
  }

  /** `ums_ts_` as set last. */
  timeText(): string {
    return this.#time.toString('latin1', 0, this.#timeLength);
  }

  /** Bytes of the prefix of the row that comes next. Its before image and itself have equally many. */
  get length(): number {
    return this.#length;
  }

  /** `ums_id_` of the row that comes next. */
  idText(): string {
    return umsIdOf(this.#fileNumber, this.#high * LOW_LIMIT + this.#low);
  }

  /** Makes the prefix of an event's first row. `position`: the file offset of the event's first byte. */
  event(position: number, operation: UmsOperation): void {
    this.#fixed = false;
    this.#high = Math.floor(position / LOW_LIMIT);
    this.#low = position - this.#high * LOW_LIMIT;
    this.#build(operation);
  }

  /** Makes the prefix of rows that are inserts with the ids of one place, all of them. */
  page(position: number): void {
    this.event(position, 'i');
    this.#fixed = true;
  }

  /** Goes on to the event's next row. */
  next(): void {
    if (this.#fixed) return;
    this.#low++;
    if (this.#low === LOW_LIMIT) {
      this.#high++;
      this.#low = 0;
    } else if (this.#fileNumber !== 0) {
      writePadded(this.#low, LOW_DIGITS, this.#bytes, this.#idEnd - LOW_DIGITS);
      writePadded(this.#low, LOW_DIGITS, this.#bytes, this.#uidEnd - LOW_DIGITS);
      return;
    }
    this.#build(String.fromCharCode(this.#bytes[this.#operationAt] as number) as UmsOperation); // what #build wrote
  }

  /** Turns an update's prefix into that of its before image. */
  before(): void {
    this.#bytes[this.#operationAt] = 98;
    this.#bytes[this.#uidEnd] = 48;
  }

  /** Turns a before image's prefix into that of its update. */
  after(): void {
    this.#bytes[this.#operationAt] = 117;
    this.#bytes[this.#uidEnd] = 49;
  }

  /** Copies the prefix; returns the place after it. Needs room for TUPLE_PREFIX_BYTES. */
  put(v: DataView, p: number): number {
    const from = this.#view;
    const length = this.#length;
    for (let i = 0; i < length; i += 4) v.setUint32(p + i, from.getUint32(i, true), true);
    return p + length;
  }

  #build(operation: UmsOperation): void {
    const w = this.#bytes;
    let p = OPENING.copy(w, 0);
    if (this.#fileNumber === 0) {
      // Without a file number in front the id is the bare position, whose width may change from row to row.
      p = writeInteger(this.#high * LOW_LIMIT + this.#low, w, p);
    } else {
      p = writeInteger(this.#fileNumber, w, p);
      p = writePadded(this.#high, HIGH_DIGITS, w, p);
      p = writePadded(this.#low, LOW_DIGITS, w, p);
    }
    this.#idEnd = p;
    w[p++] = 34;
    w[p++] = 44;
    w[p++] = 34;
    p += this.#time.copy(w, p, 0, this.#timeLength);
    w[p++] = 34;
    w[p++] = 44;
    w[p++] = 34;
    this.#operationAt = p;
    w[p++] = operation.charCodeAt(0);
    w[p++] = 34;
    w[p++] = 44;
    w[p++] = 34;
    p = writeInteger(this.#epoch, w, p);
    p = writePadded(this.#fileNumber, FILE_DIGITS, w, p);
    p = writePadded(this.#high, HIGH_DIGITS, w, p);
    p = writePadded(this.#low, LOW_DIGITS, w, p);
    this.#uidEnd = p;
    w[p++] = operation === 'b' ? 48 : 49;
    w[p++] = 34;
    this.#length = p;
  }
}

import type { TupleBuffer } from '../ums/tuple-buffer.ts';

/** A message's share of the buffer: up to `end`, with the time of its first tuple. */
interface Cut {
  readonly end: number;
  readonly timeMs: number;
}

/** Makes a message of tuples `[start, end)` of the buffer. */
export type EmitTuples = (
  partition: number,
  buffer: TupleBuffer,
  start: number,
  end: number,
  timeMs: number,
) => void;

/** The rows of one table on their way to one partition. Events are taken whole or not at all: cuts become messages when an event has ended. */
export class OpenMessage {
  readonly partition: number;
  readonly buffer: TupleBuffer;
  readonly #maxRows: number;
  readonly #emit: EmitTuples;
  /** Where the open message begins in the buffer, how many tuples it has, and its first tuple's time. */
  #start = 0;
  #tuples = 0;
  #timeMs = 0;
  /** The same within the event that is written, the event's time, and the most bytes of tuples. */
  #eventStart = 0;
  #eventTuples = 0;
  #eventTimeMs = 0;
  #eventMs = 0;
  #most = 1;
  #cuts: Cut[] | null = null;
  /** What the buffer was before the event. */
  #lengthBefore = 0;
  #tuplesBefore = 0;
  #rowsBefore = 0;

  constructor(partition: number, buffer: TupleBuffer, maxRows: number, emit: EmitTuples) {
    this.partition = partition;
    this.buffer = buffer;
    this.#maxRows = maxRows;
    this.#emit = emit;
  }

  /** How many tuples the open message still takes. */
  get room(): number {
    return this.#maxRows - this.#eventTuples;
  }

  /** Length of the buffer at which the open message is full. */
  get full(): number {
    return this.#eventStart + this.#most;
  }

  /** Begins an event of a time in milliseconds. `most`: bytes of tuples that a message takes. */
  begin(timeMs: number, most: number): void {
    const { buffer } = this;
    this.#lengthBefore = buffer.length;
    this.#tuplesBefore = buffer.tuples;
    this.#rowsBefore = buffer.rows;
    if (this.#tuples === 0) this.#timeMs = timeMs;
    this.#eventStart = this.#start;
    this.#eventTuples = this.#tuples;
    this.#eventTimeMs = this.#timeMs;
    this.#eventMs = timeMs;
    this.#most = most;
  }

  /** Says that tuples were written to the buffer, of which the last row alone may go beyond the bounds. */
  wrote(tuples: number): void {
    const { buffer } = this;
    this.#eventTuples += tuples;
    if (buffer.length - this.#eventStart > this.#most && this.#eventTuples > buffer.lastTuples) {
      this.#cut(buffer.lastStart, buffer.lastTuples);
    }
    if (buffer.length - this.#eventStart >= this.#most || this.#eventTuples >= this.#maxRows) {
      this.#cut(buffer.length, 0);
    }
  }

  /** Takes a row of one or two tuples from the front of another buffer. */
  add(row: TupleBuffer, length: number, tuples: number): void {
    const { buffer } = this;
    const start = buffer.length;
    buffer.grow(start, length);
    row.bytes.copy(buffer.bytes, start, 0, length);
    buffer.length = start + length;
    buffer.tuples += tuples;
    buffer.rows++;
    buffer.lastStart = start;
    buffer.lastTuples = tuples;
    this.wrote(tuples);
  }

  /** Ends the event: what was cut becomes messages. */
  end(): void {
    this.#tuples = this.#eventTuples;
    const cuts = this.#cuts;
    if (cuts === null) return;
    this.#cuts = null;
    for (const cut of cuts) this.#push(cut);
    this.#timeMs = this.#eventTimeMs;
    this.#moveDown();
  }

  /** Forgets what was written since the event began. */
  undo(): void {
    const { buffer } = this;
    buffer.length = this.#lengthBefore;
    buffer.tuples = this.#tuplesBefore;
    buffer.rows = this.#rowsBefore;
    this.#cuts = null;
  }

  /** Writes out what is left. */
  flush(): void {
    if (this.#tuples === 0) return;
    this.#push({ end: this.buffer.length, timeMs: this.#timeMs });
    this.#moveDown();
    this.#tuples = 0;
  }

  #cut(end: number, tuples: number): void {
    this.#eventStart = end;
    this.#eventTuples = tuples;
    this.#cuts ??= [];
    this.#cuts.push({ end, timeMs: this.#eventTimeMs });
    this.#eventTimeMs = this.#eventMs;
  }

  #push({ end, timeMs }: Cut): void {
    this.#emit(this.partition, this.buffer, this.#start, end, timeMs);
    this.#start = end;
  }

  /** Moves the open message to the front of the buffer. */
  #moveDown(): void {
    const { buffer } = this;
    buffer.bytes.copyWithin(0, this.#start, buffer.length);
    buffer.length -= this.#start;
    this.#start = 0;
  }
}

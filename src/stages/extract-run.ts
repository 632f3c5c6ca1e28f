import { Buffer } from 'node:buffer';
import { eventsBuffer, type RawRun, type RawTable } from '../change/raw-run.ts';
import type { RunTable } from './extract-tables.ts';

/** What a run says beside its events. */
export type RunFacts = Pick<
  RawRun,
  'server' | 'epoch' | 'file' | 'next' | 'resume' | 'checksum' | 'captured' | 'filtered'
>;

/** How far a run was filled at some time. */
export interface RunMark {
  /** Number of the run. */
  readonly number: number;
  readonly length: number;
  readonly spans: number;
  readonly lastSpan: number;
  readonly lastTable: number;
}

const FIRST_BYTES = 16 * 1024;
/** Below this many bytes a loop is quicker than a call of `copy`. */
const SHORT_COPY_BYTES = 192;
const NO_BYTES = Buffer.alloc(0);
/** In `spans`: not of a table but a transaction's start. */
const TRANSACTION_SPAN = -1;
/** The table of the last span where there is none. */
const NO_SPAN = -2;

/** The run that is being filled. Its buffer becomes the run's `events`, so each event is copied once. */
export class RunBuffer {
  #bytes: Buffer = NO_BYTES;
  #view: DataView = new DataView(NO_BYTES.buffer, NO_BYTES.byteOffset, 0);
  #length = 0;
  #spans: number[] = [];
  #tables: RawTable[] = [];
  #lastTable = NO_SPAN;
  #position = 0;
  #number = 0;
  /** The next buffer is made as large as the last run, so that an idle line does not take the most for each. */
  #expectedBytes = FIRST_BYTES;
  readonly #runBytes: number;

  /** `runBytes`: the size at which the owner closes a run; one event may be larger. */
  constructor(runBytes: number) {
    this.#runBytes = runBytes;
  }

  /** Bytes of events so far. */
  get length(): number {
    return this.#length;
  }

  /** Differs for each run; what is kept per run is valid while it is the same. */
  get number(): number {
    return this.#number;
  }

  /** The mark of this run before it had anything. */
  get begin(): RunMark {
    return { number: this.#number, length: 0, spans: 0, lastSpan: 0, lastTable: NO_SPAN };
  }

  mark(): RunMark {
    const spans = this.#spans.length;
    return {
      number: this.#number,
      length: this.#length,
      spans,
      lastSpan: this.#spans[spans - 1] ?? 0,
      lastTable: this.#lastTable,
    };
  }

  /** Takes out what was appended since a mark of this run. Tables that only it had stay in the dictionary. */
  cutBackTo({ length, spans, lastSpan, lastTable }: RunMark): void {
    this.#length = length;
    this.#spans.length = spans;
    if (spans > 0) this.#spans[spans - 1] = lastSpan;
    this.#lastTable = lastTable;
  }

  /** Appends the event that begins a transaction. `position`: its file offset. */
  appendTransaction(bytes: Buffer, view: DataView, length: number, position: number): void {
    this.#append(bytes, view, 0, length, position, TRANSACTION_SPAN);
  }

  /** Appends a row event or statement, `[start, end)` of `bytes`. */
  appendEvent(
    bytes: Buffer,
    view: DataView,
    start: number,
    end: number,
    position: number,
    table: RunTable,
  ): void {
    if (table.run !== this.#number) {
      table.run = this.#number;
      table.index = this.#tables.push(table.entry) - 1;
    }
    this.#append(bytes, view, start, end, position, table.index);
  }

  /** Ends the run and begins the next. A run without events stands at `next`. */
  close(facts: RunFacts): RawRun {
    const run: RawRun = {
      kind: 'mysql-binlog',
      server: facts.server,
      epoch: facts.epoch,
      file: facts.file,
      position: this.#length > 0 ? this.#position : facts.next,
      next: facts.next,
      resume: facts.resume,
      checksum: facts.checksum,
      captured: facts.captured,
      filtered: facts.filtered,
      tables: this.#tables,
      spans: this.#spans,
      events: this.#bytes.subarray(0, this.#length),
    };
    const capacity = Math.max(this.#length, FIRST_BYTES);
    this.#expectedBytes = Math.min(2 ** Math.ceil(Math.log2(capacity)), this.#runBytes);
    this.discard();
    return run;
  }

  /** Drops what is there and begins a new run. */
  discard(): void {
    this.#bytes = NO_BYTES;
    this.#length = 0;
    this.#spans = [];
    this.#tables = [];
    this.#lastTable = NO_SPAN;
    this.#number++;
  }

  #append(bytes: Buffer, view: DataView, start: number, end: number, position: number, table: number): void {
    const size = end - start;
    const at = this.#length;
    if (at === 0) this.#position = position;
    if (at + size > this.#bytes.length) this.#grow(at + size);
    if (size < SHORT_COPY_BYTES) copyShort(this.#view, at, view, start, end);
    else bytes.copy(this.#bytes, at, start, end);
    this.#length = at + size;
    if (table === this.#lastTable) {
      const last = this.#spans.length - 1;
      this.#spans[last] = (this.#spans[last] ?? 0) + size;
    } else {
      this.#spans.push(table, size);
      this.#lastTable = table;
    }
  }

  #grow(needed: number): void {
    let capacity = Math.max(needed, this.#expectedBytes, this.#bytes.length * 2);
    if (capacity > this.#runBytes) capacity = Math.max(needed, this.#runBytes);
    const grown = eventsBuffer(capacity);
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer, grown.byteOffset, grown.length);
  }
}

function copyShort(to: DataView, at: number, from: DataView, start: number, end: number): void {
  let target = at;
  let i = start;
  for (; i + 4 <= end; i += 4, target += 4) to.setInt32(target, from.getInt32(i, true), true);
  for (; i < end; i++, target++) to.setUint8(target, from.getUint8(i));
}

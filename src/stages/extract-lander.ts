import type { Buffer } from 'node:buffer';
import type { RawRun } from '../change/raw-run.ts';
import type { KnownChange } from '../columns/known.ts';
import { RunBuffer, type RunMark } from './extract-run.ts';
import type { SourceOpened } from './extract-signal.ts';
import type { RunTable } from './extract-tables.ts';
import type { TransactionTracker } from './extract-transaction.ts';

/** A closed run and where its last event stands: what its seq is made of. */
export interface ClosedRun {
  readonly run: RawRun;
  readonly fileNumber: number;
  readonly position: number;
  /** What became known of columns up to its end. */
  readonly columns: readonly KnownChange[];
}

/** A place among what has landed. */
export interface LandedMark {
  readonly run: RunMark;
  /** How many events had landed. */
  readonly landed: number;
  readonly gtidRun: number;
  readonly landedAt: number;
}

/** What the lander must know of the binlog's reader. */
export interface ReadPlace {
  readonly file: string;
  readonly checksum: boolean;
  /** How much places lie above offsets (extract-space.ts). */
  readonly lift: number;
  /** What has become known of columns since this was called last. */
  columns(): readonly KnownChange[];
}

/**
 * A transaction's GTID is repeated at the head of each further run of it, so that every run tells its transaction's time; up to this far into the transaction, so that 32 bits
 * still place the events after it.
 */
const MAX_REPEAT_BYTES = 0x8000_0000;

/** Puts events into runs and closes them. */
export class RunLander {
  readonly #runBytes: number;
  readonly #transaction: TransactionTracker;
  readonly #read: ReadPlace;
  readonly #run: RunBuffer;
  #opened: SourceOpened | null = null;
  #closed: ClosedRun[] = [];
  #filtered = 0;
  /** Events of subscribed tables so far, and how many of them there were when the last one came that had landed in an earlier dump. */
  #landed = 0;
  #landedBefore = 0;
  /** How many there were when the open run began. */
  #landedClosed = 0;
  /** Number of the run that the open transaction's GTID was put into. */
  #gtidRun = -1;
  /** Place of the open run's last event. */
  #landedAt = 0;
  /** Place of the last event that is new, landed or not; -1 when there was none since a run was closed. */
  #seenAt = -1;
  /** Number of the file being read, and the time that closed runs get: set by the owner. */
  fileNumber = 0;
  capturedMicros = 0;

  constructor(runBytes: number, transaction: TransactionTracker, read: ReadPlace) {
    this.#runBytes = runBytes;
    this.#transaction = transaction;
    this.#read = read;
    this.#run = new RunBuffer(runBytes);
  }

  /** Begins anew; what was not taken is forgotten. */
  reset(opened: SourceOpened): void {
    this.#opened = opened;
    this.#closed = [];
    this.#run.discard();
    this.#filtered = 0;
    this.#seenAt = -1;
    this.#landed = 0;
    this.#landedBefore = 0;
    this.#landedClosed = 0;
  }

  /** Events of subscribed tables that this dump has had, what was taken back not counted. */
  get landed(): number {
    return this.#landed;
  }

  mark(): LandedMark {
    return {
      run: this.#run.mark(),
      landed: this.#landed,
      gtidRun: this.#gtidRun,
      landedAt: this.#landedAt,
    };
  }

  /** Takes back what has landed since a mark. False where some of it was in a run that is closed: then nothing is taken back. */
  takeBack({ run, landed, gtidRun, landedAt }: LandedMark): boolean {
    if (this.#landed === landed) return true;
    if (this.#landedClosed > landed || this.#landedBefore > landed) return false;
    // A run that was closed since the mark had landed all before it: the open one has nothing else.
    this.#run.cutBackTo(run.number === this.#run.number ? run : this.#run.begin);
    this.#landed = landed;
    this.#gtidRun = gtidRun;
    this.#landedAt = landedAt;
    return true;
  }

  /** Counts what has come since a mark as not landed: the dump that had it has taken it back. */
  forget({ landed }: LandedMark): void {
    this.#landed = landed;
    this.#landedBefore = Math.min(this.#landedBefore, landed);
  }

  /** An event of a subscribed table that an earlier dump has seen. */
  sawLanded(): void {
    this.#landed++;
    this.#landedBefore = this.#landed;
  }

  /** A new event stands at `position` of the file, whether it lands or not. */
  saw(position: number): void {
    this.#seenAt = position;
  }

  /** What was seen lies in another file than what comes. */
  leaveFile(): void {
    this.#seenAt = -1;
  }

  /** A new row event of a table that is not subscribed. */
  filter(): void {
    this.#filtered++;
  }

  /** A transaction has begun: its GTID is in no run yet. */
  beginTransaction(): void {
    this.#gtidRun = -1;
  }

  /** Appends an event, `[start, end)` of `bytes`, after its transaction's GTID. Closes the run before when it would grow too large. */
  land(bytes: Buffer, view: DataView, start: number, end: number, position: number, table: RunTable): void {
    this.#makeRoom(end - start, position);
    this.#run.appendEvent(bytes, view, start, end, position, table);
    this.#landedAt = position;
    this.#landed++;
  }

  /** The same for several dictionary entries, one copy of the event each: all in one run, so that none can be read without the others. */
  landForEach(
    bytes: Buffer,
    view: DataView,
    start: number,
    end: number,
    position: number,
    tables: readonly RunTable[],
  ): void {
    this.#makeRoom((end - start) * tables.length, position);
    for (const table of tables) this.#run.appendEvent(bytes, view, start, end, position, table);
    this.#landedAt = position;
    this.#landed++;
  }

  /** Makes sure that so many bytes fit into the run, and that their transaction's GTID is in it. */
  #makeRoom(size: number, position: number): void {
    const run = this.#run;
    const transaction = this.#transaction;
    let gtidBytes = this.#missingGtidBytes(position);
    if (run.length > 0 && run.length + gtidBytes + size > this.#runBytes) {
      this.#close(position, this.#landedAt);
      gtidBytes = this.#missingGtidBytes(position);
    }
    if (gtidBytes === 0) return;
    run.appendTransaction(transaction.gtid, transaction.gtidView, gtidBytes, transaction.start);
    this.#gtidRun = run.number;
  }

  /** Closes the run when it has events. `next`: file offset up to which all was seen. */
  close(next: number): void {
    if (this.#run.length > 0) this.#close(next, this.#landedAt);
  }

  /** Forgets the open run; only opening anew goes on from here. */
  discard(): void {
    this.#run.discard();
  }

  /** Closes a run without events, when there is none with events and anything new was seen. */
  closeProgress(next: number): void {
    if (this.#run.length === 0 && this.#seenAt >= 0) this.#close(next, this.#seenAt);
  }

  /** Closes a run without events that says where the line begins: its seq lies before that of any event to come. */
  closeStart(next: number): void {
    this.#close(next, Math.max(0, next - 1));
  }

  /** Runs that are closed and not yet taken, in order. */
  takeClosed(): readonly ClosedRun[] {
    const closed = this.#closed;
    this.#closed = [];
    return closed;
  }

  /** How much of the open transaction's GTID event the run lacks: all or nothing. */
  #missingGtidBytes(position: number): number {
    const transaction = this.#transaction;
    if (!transaction.open || this.#gtidRun === this.#run.number) return 0;
    return position - transaction.start < MAX_REPEAT_BYTES ? transaction.gtidBytes : 0;
  }

  #close(next: number, lastAt: number): void {
    const opened = this.#opened;
    if (opened === null) return;
    const { file, checksum, lift } = this.#read;
    const columns = this.#read.columns();
    const transaction = this.#transaction;
    const run = this.#run.close({
      server: opened.server.id,
      epoch: opened.epoch,
      file,
      next,
      resume: {
        file,
        position: (transaction.open ? transaction.start : next) - lift,
        gtid: transaction.executed,
      },
      checksum,
      captured: this.capturedMicros,
      filtered: this.#filtered,
    });
    this.#landedClosed = this.#landed;
    this.#closed.push({ run, fileNumber: this.fileNumber, position: lastAt, columns });
    this.#filtered = 0;
    this.#seenAt = -1;
  }
}

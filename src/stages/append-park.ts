import { Buffer } from 'node:buffer';
import { EVENT_HEADER_BYTES, EVENT_SIZE_AT } from '../binlog/event-type.ts';
import { eventStart } from '../binlog/position.ts';
import { encodeReference, type ParkedPiece } from '../change/parked-reference.ts';
import { encodeRawRun, type RawRun, type RawTable } from '../change/raw-run.ts';
import { UmbusError } from '../core/errors.ts';

/** In `spans`: a transaction's start. */
export const TRANSACTION_SPAN = -1;

/** The events of one table that are parked from one run. */
export class ParkedPieces {
  readonly #pieces: ParkedPiece[] = [];
  #events = 0;

  /** How many events: row events and statements. */
  get events(): number {
    return this.#events;
  }

  /** Adds whole events of a span of the run. */
  add(view: DataView, piece: ParkedPiece): void {
    this.#pieces.push(piece);
    this.#events += countEvents(view, piece.start, piece.end);
  }

  /** The run that holds these events and the starts of their transactions only, encoded as on `<ds>.<schema>`. Null when there is none. */
  encode(run: RawRun): Buffer | null {
    const parked = runOfPieces(run, this.#pieces);
    return parked === null ? null : encodeRawRun(parked);
  }

  /** A reference to these events in the run's record, without a byte of them. Null when there is none. */
  reference({ file, position, epoch }: RawRun): Buffer | null {
    if (this.#pieces.length === 0) return null;
    return encodeReference({ file, position, epoch, events: this.#events, pieces: this.#pieces });
  }
}

/** The run that holds only these events of a run and the starts of their transactions. Null when there is none. Errors: UMBUS_TOPOLOGY_DECODE for pieces beyond its end. */
export function runOfPieces(run: RawRun, pieces: readonly ParkedPiece[]): RawRun | null {
  const first = pieces[0];
  if (first === undefined) return null;
  const tables: RawTable[] = [];
  const indexes = new Map<number, number>();
  const spans: number[] = [];
  const chunks: Buffer[] = [];
  const add = (span: number, start: number, end: number): void => {
    if (end > run.events.length) throw beyondRun();
    spans.push(span, end - start);
    chunks.push(run.events.subarray(start, end));
  };
  let transaction = -1;
  for (const piece of pieces) {
    if (piece.transactionEnd > piece.transactionStart && piece.transactionStart !== transaction) {
      transaction = piece.transactionStart;
      add(TRANSACTION_SPAN, piece.transactionStart, piece.transactionEnd);
    }
    let index = indexes.get(piece.table);
    const table = run.tables[piece.table];
    if (index === undefined && table !== undefined) {
      index = tables.push(table) - 1;
      indexes.set(piece.table, index);
    }
    if (index !== undefined) add(index, piece.start, piece.end);
  }
  const startsAt = first.transactionEnd > first.transactionStart ? first.transactionStart : first.start;
  const position =
    startsAt + EVENT_HEADER_BYTES > run.events.length
      ? run.position
      : eventStart(run.events, startsAt, run.position);
  return { ...run, position, filtered: 0, tables, spans, events: Buffer.concat(chunks) };
}

/** How many events a stretch holds; what cannot be read as one counts as one. */
function countEvents(view: DataView, start: number, end: number): number {
  let events = 0;
  let o = start;
  while (o < end) {
    events++;
    const size = o + EVENT_HEADER_BYTES <= end ? view.getUint32(o + EVENT_SIZE_AT, true) : 0;
    if (size < EVENT_HEADER_BYTES) break;
    o += size;
  }
  return events;
}

function beyondRun(): UmbusError {
  return new UmbusError(
    'UMBUS_TOPOLOGY_DECODE',
    'A dead letter refers to events beyond the end of its raw record.',
  );
}

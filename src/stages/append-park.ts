import { Buffer } from 'node:buffer';
import { EVENT_HEADER_BYTES, EVENT_SIZE_AT } from '../binlog/event-type.ts';
import { eventStart } from '../binlog/position.ts';
import { encodeRawRun, type RawRun, type RawTable } from '../change/raw-run.ts';

/** In `spans`: a transaction's start. */
export const TRANSACTION_SPAN = -1;

interface Piece {
  /** Index into the run's tables. */
  readonly table: number;
  /** Offsets in the run's events. */
  readonly start: number;
  readonly end: number;
  /** The event that began the transaction; empty when the run has none before the piece. */
  readonly transactionStart: number;
  readonly transactionEnd: number;
}

/** The events of one table that are parked from one run. */
export class ParkedPieces {
  readonly #pieces: Piece[] = [];
  #events = 0;

  /** How many events: row events and statements. */
  get events(): number {
    return this.#events;
  }

  /** Adds whole events of a span of the run. */
  add(view: DataView, piece: Piece): void {
    this.#pieces.push(piece);
    this.#events += countEvents(view, piece.start, piece.end);
  }

  /** The run that holds these events and the starts of their transactions only, encoded as on `<ds>.<schema>`. Null when there is none. */
  encode(run: RawRun): Buffer | null {
    const first = this.#pieces[0];
    if (first === undefined) return null;
    const tables: RawTable[] = [];
    const indexes = new Map<number, number>();
    const spans: number[] = [];
    const chunks: Buffer[] = [];
    const add = (span: number, start: number, end: number): void => {
      spans.push(span, end - start);
      chunks.push(run.events.subarray(start, end));
    };
    let transaction = -1;
    for (const piece of this.#pieces) {
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
    return encodeRawRun({ ...run, position, filtered: 0, tables, spans, events: Buffer.concat(chunks) });
  }
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

import { isInsert, isUpdate } from '../binlog/rows/rows-event.ts';
import type { EventPlace } from './append-event.ts';
import type { PlacedRows } from './append-placing.ts';
import type { AppendShared } from './append-shared.ts';
import type { TableState } from './append-state.ts';

/** What one record adds to the counts in a table's state, and which of its rows came last. */
export class TableCounts {
  #inserts = 0;
  #updates = 0;
  #deletes = 0;
  #marks = 0;
  #messages = 0;
  #bytes = 0;
  /** Position of the last row, -1 for none, and its time. */
  #lastRow = -1;
  #lastSeconds = 0;
  #lastMicros = -1;

  /** Messages so far. */
  get messages(): number {
    return this.#messages;
  }

  /** Counts rows that were placed. */
  rows({ inserts, updates, deletes, marks }: PlacedRows): void {
    this.#inserts += inserts;
    this.#updates += updates;
    this.#deletes += deletes;
    this.#marks += marks;
  }

  /** Counts rows of an event of this type. */
  rowsOf(type: number, rows: number, marks: number): void {
    this.#marks += marks;
    if (isUpdate(type)) this.#updates += rows;
    else if (isInsert(type)) this.#inserts += rows;
    else this.#deletes += rows;
  }

  /** Counts a message of so many bytes. */
  message(bytes: number): void {
    this.#messages++;
    this.#bytes += bytes;
  }

  /** The row of an event, by its index, that is the last so far. */
  last(event: EventPlace, row: number): void {
    this.#lastRow = event.position + row;
    this.#lastSeconds = event.seconds;
    this.#lastMicros = event.micros;
  }

  /** The state with all that was counted. Leaves time and event of `prefix` at the last row. */
  in(state: TableState, prefix: AppendShared['prefix']): TableState {
    let { lastUmsId, lastTs } = state;
    if (this.#lastRow >= 0) {
      prefix.time(this.#lastSeconds, this.#lastMicros);
      prefix.event(this.#lastRow, 'i');
      lastUmsId = prefix.idText();
      lastTs = prefix.timeText();
    }
    return {
      ...state,
      inserts: state.inserts + this.#inserts,
      updates: state.updates + this.#updates,
      deletes: state.deletes + this.#deletes,
      messages: state.messages + this.#messages,
      ...(this.#bytes > 0 && { bytes: (state.bytes ?? 0) + this.#bytes }),
      lastUmsId,
      lastTs,
      ...(this.#marks > 0 && { marks: (state.marks ?? 0) + this.#marks }),
    };
  }
}

/**
 * Where events stand. An event stands at its offset in the file, until compressed ones come: what they hold has no offset of its own and may have more rows than they have
 * bytes, while each row must have a place (`ums_id_`) of its own, in order. So the events within stand one after the other, each with a place for each of its rows, from where the
 * compressed event stands on; and when they reach beyond the end of their transaction, all that follows in the file is lifted by {@link LIFT}.
 *
 * The lift changes between transactions only, and no transaction has as many places as a lift. So it can be told from where a run ends and where the line would go on: the
 * extractor needs no other memory. No file is as large as a lift either.
 */
import { UmbusError } from '../core/errors.ts';

/** Places of a lift. */
export const LIFT = 100_000_000_000;
/** Places of a file: `ums_id_` has thirteen digits for them. */
const PLACES = 10_000_000_000_000;

/** The file offset of a place, such as the end of a run; near it for a place within compressed events. */
export function offsetOf(place: number): number {
  return place % LIFT;
}

export class PlaceSpace {
  #lift = 0;
  /** First place that the open transaction has not used, once it has held compressed events; else 0. */
  #free = 0;

  /** Begins anew where a line goes on: the next place, and the offset of the file that it stands for or follows. */
  reset(next: number, offset: number): void {
    this.#lift = Math.max(0, Math.floor((next - offset) / LIFT)) * LIFT;
    this.#free = 0;
  }

  /** How much places lie above offsets. */
  get lift(): number {
    return this.#lift;
  }

  /** Whether places are other than offsets. */
  get moved(): boolean {
    return this.#lift > 0 || this.#free > 0;
  }

  /** The place of an offset. */
  placeOf(offset: number): number {
    return Math.max(offset + this.#lift, this.#free);
  }

  /** The event at `place` uses so many places. */
  take(place: number, places: number): void {
    this.#free = place + places;
  }

  /** A transaction has ended at an offset. Errors: UMBUS_SOURCE_PROTOCOL when the file has no places left. */
  endTransaction(offset: number): void {
    if (this.#free > offset + this.#lift) this.#lift += LIFT;
    this.#free = 0;
    if (this.#lift + LIFT > PLACES) {
      throw new UmbusError(
        'UMBUS_SOURCE_PROTOCOL',
        'The binlog file has a hundred compressed transactions with more rows than bytes, so ums_id_ has no numbers left for it. Run on the source: FLUSH BINARY LOGS, and SET GLOBAL binlog_transaction_compression = OFF.',
      );
    }
  }
}

import type { Buffer } from 'node:buffer';

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

/** When the event was committed, in milliseconds since 1970-01-01 UTC. */
export function timeMsOf(event: EventPlace): number {
  return event.seconds * 1000 + (event.micros < 0 ? 0 : Math.floor(event.micros / 1000));
}

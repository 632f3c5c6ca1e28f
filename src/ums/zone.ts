import { messageOf, UmbusError } from '../core/errors.ts';

/** A time zone: how far its clocks are ahead of UTC at any moment. */
export interface Zone {
  readonly name: string;
  /** Whether the offset is 0 at all times. */
  readonly utc: boolean;
  /** Seconds ahead of UTC at a moment, given in whole seconds since 1970-01-01 UTC. */
  offsetAt(epochSeconds: number): number;
}

/** UTC. */
export const UTC: Zone = { name: 'UTC', utc: true, offsetAt: () => 0 };

const DAY_SECONDS = 86_400;
/** Days whose offsets are kept; a table that walks over more than that pays for the lookups again. */
const DAYS_MAX = 4096;

/** One day: the offset before and from the moment `change`; both are equal on a day without a change. */
interface Day {
  readonly change: number;
  readonly before: number;
  readonly after: number;
}

/**
 * The zone of an IANA name, such as `Europe/Berlin`, or of `UTC`. Offsets are looked up once a day of history and kept,
 * exact to the second. Errors: UMBUS_CONFIG_INVALID for an unknown name.
 */
export function zoneOf(name: string): Zone {
  if (name === 'UTC') return UTC;
  const lookup = offsetLookup(name);
  const days = new Map<number, Day>();
  return {
    name,
    utc: false,
    offsetAt(epochSeconds) {
      const number = Math.floor(epochSeconds / DAY_SECONDS);
      let day = days.get(number);
      if (day === undefined) {
        day = dayOf(number * DAY_SECONDS, lookup);
        if (days.size >= DAYS_MAX) days.clear();
        days.set(number, day);
      }
      return epochSeconds < day.change ? day.before : day.after;
    },
  };
}

/** Finds where in a day the offset changes, by halving; no zone has changed twice within a UTC day. */
function dayOf(start: number, lookup: (epochSeconds: number) => number): Day {
  const before = lookup(start);
  const after = lookup(start + DAY_SECONDS);
  let low = start;
  let high = start + DAY_SECONDS;
  while (before !== after && high - low > 1) {
    const middle = (low + high) >>> 1;
    if (lookup(middle) === before) low = middle;
    else high = middle;
  }
  return { change: before === after ? start : high, before, after };
}

/** Offsets as the platform's own time zone data give them. */
function offsetLookup(name: string): (epochSeconds: number) => number {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch (cause) {
    throw new UmbusError(
      'UMBUS_CONFIG_INVALID',
      `The time zone "${name}" is not known: ${messageOf(cause)}.`,
      { cause },
    );
  }
  return epochSeconds => {
    const part: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(epochSeconds * 1000)) part[type] = Number(value);
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = part;
    return Date.UTC(year, month - 1, day, hour, minute, second) / 1000 - epochSeconds;
  };
}

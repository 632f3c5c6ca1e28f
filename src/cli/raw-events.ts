/** Where in an event's header its size stands, and how long a header is (MySQL: "Binlog Event Header"). */
const EVENT_SIZE_AT = 9;
const EVENT_HEADER_BYTES = 19;

/**
 * How many events a stretch of a raw run holds, and the time of the last: whole seconds since 1970-01-01 UTC, null when none has one. What cannot be
 * read as an event counts as one, to the end.
 */
export function scanEvents(events: Buffer): { readonly count: number; readonly lastSeconds: number | null } {
  let count = 0;
  let lastSeconds: number | null = null;
  for (let at = 0; at < events.length; ) {
    count++;
    if (at + EVENT_HEADER_BYTES > events.length) break;
    const size = events.readUInt32LE(at + EVENT_SIZE_AT);
    if (size < EVENT_HEADER_BYTES) break;
    // Artificial events have no time.
    lastSeconds = events.readUInt32LE(at) || lastSeconds;
    at += size;
  }
  return { count, lastSeconds };
}

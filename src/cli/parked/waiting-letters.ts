import { decodeReference } from '../../change/parked-reference.ts';
import { UmbusError } from '../../core/errors.ts';
import type { Log, LogRecord } from '../../ports/log.ts';
import { scanEvents } from '../raw-events.ts';
import { rawRunOf } from '../render/run-text.ts';
import { deadRecords } from './dead-records.ts';

/** Where a dead letter lies, and how many row events and statements of its table it holds. */
export interface LetterPlace {
  /** `schema.table`. */
  readonly table: string;
  readonly partition: number;
  readonly offset: bigint;
  /** 0 for what the appender did not park: it belongs to no table. */
  readonly events: number;
}

/** Dead letters of a line in order, of one table when given. Their bytes are not kept. */
export async function letterPlaces(
  log: Log,
  ds: string,
  table: string | null,
  signal: AbortSignal,
): Promise<readonly LetterPlace[]> {
  const places: LetterPlace[] = [];
  for await (const { place, record, letter } of deadRecords(log, ds, table, signal)) {
    const events = letter.topology === 'appender' ? eventsOf(record) : 0;
    places.push({ table: letter.key, partition: place.partition, offset: record.offset, events });
  }
  return places;
}

/**
 * The letters that wait for a replay, in order: of each parked table the newest ones that together hold as many events as its state counts since it was
 * parked (`parkedEvents`, by table). Those before them were parked earlier and have been replayed.
 */
export function waitingLetters(
  letters: readonly LetterPlace[],
  parkedEvents: ReadonlyMap<string, number>,
): readonly LetterPlace[] {
  const missing = new Map(parkedEvents);
  const waiting = letters.toReversed().filter(({ table, events }) => {
    const left = missing.get(table) ?? 0;
    missing.set(table, left - events);
    return left > 0 && events > 0;
  });
  return waiting.reverse();
}

/** The waiting letters of one parked table. Errors: UMBUS_LOG_OFFSET_GONE when some that wait are not kept any more. */
export async function waitingLettersOf(
  log: Log,
  ds: string,
  table: string,
  parkedEvents: number,
  signal: AbortSignal,
): Promise<readonly LetterPlace[]> {
  const waiting = waitingLetters(
    await letterPlaces(log, ds, table, signal),
    new Map([[table, parkedEvents]]),
  );
  const found = waiting.reduce((sum, letter) => sum + letter.events, 0);
  if (found === parkedEvents || signal.aborted) return waiting;
  throw new UmbusError(
    'UMBUS_LOG_OFFSET_GONE',
    `The dead letters of ${table} hold ${found} events, and ${parkedEvents} were parked: some are not kept any more. Load the table again.`,
    { details: { table, found, parkedEvents } },
  );
}

function eventsOf({ value }: LogRecord): number {
  const reference = value === null ? null : decodeReference(value);
  if (reference !== null) return reference.events;
  const run = value === null ? null : rawRunOf(value);
  if (run === null) return 0;
  const { spans, events } = run;
  let at = 0;
  let count = 0;
  for (let index = 0; index + 1 < spans.length; index += 2) {
    const end = at + (spans[index + 1] ?? 0);
    // Transaction starts (-1) belong to no table.
    if ((spans[index] ?? -1) >= 0) count += scanEvents(events.subarray(at, end)).count;
    at = end;
  }
  return count;
}

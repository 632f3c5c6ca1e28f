import { EventType } from '../binlog/event-type.ts';
import { UmbusError } from '../core/errors.ts';

/** What to do about events of these types, which umbus does not decode. */
const settings: ReadonlyMap<number, string> = new Map([
  [EventType.INCIDENT, 'With it the server says that its binlog may lack changes. Load the tables again.'],
]);

/** Types that say nothing of rows or definitions, or only what another event says too. */
const silent: ReadonlySet<number> = new Set([
  EventType.STOP,
  EventType.INTVAR,
  EventType.APPEND_BLOCK,
  EventType.DELETE_FILE,
  EventType.RAND,
  EventType.USER_VAR,
  EventType.BEGIN_LOAD_QUERY,
  EventType.HEARTBEAT,
  EventType.HEARTBEAT_V2,
  EventType.IGNORABLE,
  EventType.ROWS_QUERY,
  EventType.TRANSACTION_CONTEXT,
  EventType.VIEW_CHANGE,
  EventType.MARIADB_ANNOTATE_ROWS,
  EventType.MARIADB_BINLOG_CHECKPOINT,
  EventType.MARIADB_START_ENCRYPTION,
]);

/** Whether an event of this type has nothing for the extractor. */
export function isSilent(type: number): boolean {
  return silent.has(type);
}

/** The error for an event whose content cannot be read: the stream halts there, since nobody can say what it would change. */
export function unreadEvent(type: number, place: string): UmbusError {
  const setting = settings.get(type) ?? 'umbus does not know this type.';
  return new UmbusError('UMBUS_BINLOG_EVENT', `Event type ${type} at ${place} is not read. ${setting}`, {
    details: { type, place },
  });
}

import { EventType } from '../binlog/event-type.ts';
import { UmbusError } from '../core/errors.ts';

const compressed = 'Run: SET GLOBAL log_bin_compress = OFF.';

/** The setting that makes a server write events of these types, which umbus does not decode. */
const settings: ReadonlyMap<number, string> = new Map([
  [
    EventType.PARTIAL_UPDATE_ROWS,
    "It holds partial JSON updates. Run: SET GLOBAL binlog_row_value_options = ''.",
  ],
  [
    EventType.TRANSACTION_PAYLOAD,
    'It holds a compressed transaction. Run: SET GLOBAL binlog_transaction_compression = OFF.',
  ],
  [EventType.INCIDENT, 'With it the server says that its binlog may lack changes. Load the tables again.'],
  [EventType.MARIADB_QUERY_COMPRESSED, `It holds a compressed statement. ${compressed}`],
  [EventType.MARIADB_WRITE_ROWS_COMPRESSED_V1, `It holds compressed rows. ${compressed}`],
  [EventType.MARIADB_UPDATE_ROWS_COMPRESSED_V1, `It holds compressed rows. ${compressed}`],
  [EventType.MARIADB_DELETE_ROWS_COMPRESSED_V1, `It holds compressed rows. ${compressed}`],
  [EventType.MARIADB_WRITE_ROWS_COMPRESSED, `It holds compressed rows. ${compressed}`],
  [EventType.MARIADB_UPDATE_ROWS_COMPRESSED, `It holds compressed rows. ${compressed}`],
  [EventType.MARIADB_DELETE_ROWS_COMPRESSED, `It holds compressed rows. ${compressed}`],
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

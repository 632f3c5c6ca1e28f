/**
 * Event type codes. Sources: `Log_event_type` in the MySQL source documentation (binlog_event.h) and "Binlog Event Types" in the MariaDB knowledge base.
 */
export const EventType = {
  QUERY: 2,
  STOP: 3,
  ROTATE: 4,
  INTVAR: 5,
  APPEND_BLOCK: 9,
  DELETE_FILE: 11,
  RAND: 13,
  USER_VAR: 14,
  FORMAT_DESCRIPTION: 15,
  XID: 16,
  BEGIN_LOAD_QUERY: 17,
  EXECUTE_LOAD_QUERY: 18,
  TABLE_MAP: 19,
  WRITE_ROWS_V1: 23,
  UPDATE_ROWS_V1: 24,
  DELETE_ROWS_V1: 25,
  INCIDENT: 26,
  HEARTBEAT: 27,
  IGNORABLE: 28,
  ROWS_QUERY: 29,
  WRITE_ROWS: 30,
  UPDATE_ROWS: 31,
  DELETE_ROWS: 32,
  GTID: 33,
  ANONYMOUS_GTID: 34,
  PREVIOUS_GTIDS: 35,
  TRANSACTION_CONTEXT: 36,
  VIEW_CHANGE: 37,
  XA_PREPARE: 38,
  PARTIAL_UPDATE_ROWS: 39,
  TRANSACTION_PAYLOAD: 40,
  HEARTBEAT_V2: 41,
  GTID_TAGGED: 42,
  MARIADB_ANNOTATE_ROWS: 160,
  MARIADB_BINLOG_CHECKPOINT: 161,
  MARIADB_GTID: 162,
  MARIADB_GTID_LIST: 163,
  MARIADB_START_ENCRYPTION: 164,
  MARIADB_QUERY_COMPRESSED: 165,
  MARIADB_WRITE_ROWS_COMPRESSED_V1: 166,
  MARIADB_UPDATE_ROWS_COMPRESSED_V1: 167,
  MARIADB_DELETE_ROWS_COMPRESSED_V1: 168,
  MARIADB_WRITE_ROWS_COMPRESSED: 169,
  MARIADB_UPDATE_ROWS_COMPRESSED: 170,
  MARIADB_DELETE_ROWS_COMPRESSED: 171,
} as const;

/** Bytes of the header that every event begins with: timestamp u32, type u8, server id u32, event size u32, log position u32, flags u16. */
export const EVENT_HEADER_BYTES = 19;
/** Offsets within the header. */
export const EVENT_TYPE_AT = 4;
export const EVENT_SERVER_ID_AT = 5;
export const EVENT_SIZE_AT = 9;
export const EVENT_LOG_POS_AT = 13;
export const EVENT_FLAGS_AT = 17;
/** Bytes of the CRC32 that ends an event when the file has checksums. */
export const EVENT_CHECKSUM_BYTES = 4;

/** LOG_EVENT_ARTIFICIAL_F: made by the dump, not in the file; its log position means nothing. */
export const FLAG_ARTIFICIAL = 0x20;
/** LOG_EVENT_IGNORABLE_F: may be skipped by a reader that does not know the type. */
export const FLAG_IGNORABLE = 0x80;
/**
 * Set by the extractor in events that the server had compressed, and in none by a server: such an event stands where the compressed one did and may be larger than the room
 * there.
 */
export const FLAG_INFLATED = 0x1000;

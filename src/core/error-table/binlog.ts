import type { ErrorRow } from './row.ts';

/** Codes of binlog events and rows. */
export const binlogErrors = {
  UMBUS_BINLOG_CHECKSUM: {
    text: 'An event does not match its CRC32.',
    remedy: 'The connection is made anew once; if the file itself is damaged, restore the source.',
    retryable: true,
  },
  UMBUS_BINLOG_TRUNCATED: {
    text: 'An event or packet ends before its own length says.',
    remedy: 'Report it with the position in the message.',
    retryable: true,
  },
  UMBUS_BINLOG_EVENT: {
    text: 'An event has a form that umbus does not know.',
    remedy: 'Update umbus; if the event is one it should know, report it.',
    retryable: false,
  },
  UMBUS_BINLOG_TABLE_MAP: {
    text: 'A row event does not fit the table map before it.',
    remedy: 'The table is parked; report it with the position.',
    retryable: false,
  },
  UMBUS_BINLOG_NO_METADATA: {
    text: 'The table map has no column names.',
    remedy: 'SET GLOBAL binlog_row_metadata = FULL on the source.',
    retryable: false,
  },
  UMBUS_BINLOG_COLUMNS: {
    text: 'The binlog does not name the columns of a table, and which it had at that place is not known for certain.',
    remedy:
      'Say which columns they are: `umbus schema resolve --line FILE schema.table`. SET GLOBAL binlog_row_metadata = FULL where the server has it.',
    retryable: false,
  },
  UMBUS_COLUMNS_REFUSED: {
    text: 'The columns given for a parked table cannot be those of its rows, or are not to be given.',
    remedy:
      'The message names what does not fit; give the CREATE TABLE statement of the time with `--columns FILE`. Without it, load the table again.',
    retryable: false,
  },
  UMBUS_BINLOG_ROW: {
    text: 'A row image cannot be decoded.',
    remedy: 'The table is parked with the raw bytes; report it with the position.',
    retryable: false,
  },
  UMBUS_BINLOG_TYPE: {
    text: 'A column has a type that umbus does not decode yet.',
    remedy: 'Exclude the table, or update umbus and replay what is parked.',
    retryable: false,
  },
  UMBUS_BINLOG_CHARSET: {
    text: 'A column has a character set that umbus does not decode yet.',
    remedy: 'Exclude the table, or update umbus and replay what is parked.',
    retryable: false,
  },
  UMBUS_BINLOG_VALUE: {
    text: 'A value is not valid for its column type.',
    remedy: 'The table is parked with the raw bytes; report it with the position.',
    retryable: false,
  },
} as const satisfies Record<string, ErrorRow>;

import { counter, gauge } from './spec.ts';

/** The extractor of a line, told by the process that runs it. */
export const extractorMetrics = {
  connected: gauge('umbus_extractor_connected', '', 'Whether the source is open and read.'),
  standby: gauge(
    'umbus_extractor_standby',
    '',
    'Whether another process reads the source and this one waits to take its place.',
  ),
  inFlightBytes: gauge('umbus_extractor_in_flight_bytes', 'bytes', 'Bytes read that are not durable yet.'),
  epoch: gauge(
    'umbus_extractor_epoch_number',
    'number',
    'Epoch of the last durable record; it grows when the source is another server.',
  ),
  file: gauge(
    'umbus_extractor_file_number',
    'number',
    'Number of the binlog file of the last durable record.',
  ),
  position: gauge(
    'umbus_extractor_position_bytes',
    'bytes',
    'Offset in that file at which the last durable event begins.',
  ),
} as const;

/** The source, asked now and then by the process that runs the extractor. */
export const sourceMetrics = {
  reachable: gauge('umbus_source_reachable', '', 'Whether the server answered when it was asked last.'),
  file: gauge('umbus_source_file_number', 'number', 'Number of the newest binlog file of the server.'),
  position: gauge('umbus_source_position_bytes', 'bytes', 'Where the newest binlog file ends.'),
  binlogBytes: gauge('umbus_source_binlog_bytes', 'bytes', 'Size of all binlog files that the server keeps.'),
  lagBytes: gauge('umbus_source_lag_bytes', 'bytes', 'Binlog bytes that the extractor has not read.'),
  lagSeconds: gauge(
    'umbus_source_lag_seconds',
    'seconds',
    'Age of the last event landed while there are binlog bytes to read, else 0.',
  ),
  positionGone: gauge(
    'umbus_source_position_gone',
    '',
    'Whether the server has purged the binlog file that comes next.',
  ),
} as const;

/** The log, asked now and then. */
export const logMetrics = {
  topicBytes: gauge('umbus_log_topic_bytes', 'bytes', 'Stored bytes of a topic of the line.', ['topic']),
  topicRecords: gauge(
    'umbus_log_topic_records',
    'records',
    'Kept offsets of a topic; of compacted topics an upper bound of the records.',
    ['topic'],
  ),
  usedBytes: gauge('umbus_log_used_bytes', 'bytes', 'Stored bytes of all topics of the line.'),
  limitBytes: gauge('umbus_log_limit_bytes', 'bytes', 'Bound of the embedded log.'),
  diskFreeBytes: gauge(
    'umbus_log_disk_free_bytes',
    'bytes',
    'Free bytes of the disk that the embedded log is on.',
  ),
  deadRecords: gauge('umbus_log_dead_records', 'records', 'Dead letters that are kept, replayed ones too.'),
} as const;

/** Tables, told by the process whose appender has them. Counts survive restarts: they are in the appender's store. */
export const tableMetrics = {
  tables: gauge('umbus_appender_tables', 'tables', 'Tables that the appender knows, published or parked.', [
    'state',
  ]),
  allRows: counter('umbus_appender_rows_total', 'rows', 'Rows published, over all tables.', ['op']),
  rows: counter(
    'umbus_table_rows_total',
    'rows',
    'Rows published of a table, without images before an update. Beyond `metrics.tables` tables the rest is `(others)`.',
    ['table', 'op'],
  ),
  messages: counter(
    'umbus_table_messages_total',
    'messages',
    'Messages published of a table, terminations included.',
    ['table'],
  ),
  marks: counter(
    'umbus_table_marked_values_total',
    'values',
    'Values published as marks because their bytes are no text of their character set.',
    ['table'],
  ),
  pulledRows: counter(
    'umbus_table_pulled_rows_total',
    'rows',
    'Rows of a table that full pulls have published. They are not among `umbus_table_rows_total`.',
    ['table'],
  ),
  version: gauge('umbus_table_version_number', 'number', 'Version of a table in its namespace.', ['table']),
  parkedEvents: gauge(
    'umbus_table_parked_events',
    'events',
    'Events of a parked table that wait; 0 when it is not parked.',
    ['table'],
  ),
} as const;

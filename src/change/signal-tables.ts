/**
 * Tables that umbus has in the source for itself. Rows inserted there travel through the line in order with the data, to every partition of every
 * schema's topic, and are never published. All else that is done to these tables is of no concern: old rows are deleted now and then.
 */

/** Heartbeats; a table of DBUS, with its columns. */
export const HEARTBEAT_TABLE = 'db_heartbeat_monitor';
/** Watermarks of full pulls. */
export const WATERMARK_TABLE = 'umbus_watermark';

/** What a row of one of the tables is. */
export type SignalKind = 'heartbeat' | 'watermark';

/** A heartbeat: one table of one schema, or all of them where `schema` or `table` is {@link ALL}. */
export interface HeartbeatRow {
  readonly kind: 'heartbeat';
  /** Number that the source gave the row, digits. */
  readonly id: string;
  /** Data source that the row is for. */
  readonly ds: string;
  readonly schema: string;
  readonly table: string;
  /** JSON, as it was written; see heartbeat-packet.ts. */
  readonly packet: string;
}

/** A watermark of a full pull. */
export interface WatermarkRow {
  readonly kind: 'watermark';
  /** Number that the source gave the row, digits. */
  readonly id: string;
  /** Data source that the row is for. */
  readonly ds: string;
  /** Column `kind`, for example `low` or `high`. */
  readonly mark: string;
  /** What the watermark belongs to. */
  readonly token: string;
  /** Whatever its writer says beside. */
  readonly packet: string;
}

export type SignalRow = HeartbeatRow | WatermarkRow;

/** In `schema` or `table` of a heartbeat: all of them. */
export const ALL = '*';

/** The columns in their order, for sources whose binlog has no names. The ids are signed, the texts utf8. */
export const SIGNAL_COLUMNS: Readonly<Record<SignalKind, readonly string[]>> = {
  heartbeat: ['id', 'ds_name', 'schema_name', 'table_name', 'packet', 'create_time', 'update_time'],
  watermark: ['id', 'ds', 'kind', 'token', 'packet', 'create_time'],
};

/** Which of the tables one is; null for any other. Case does not count, as servers differ in it. */
export function signalKind(signalSchema: string, schema: string, table: string): SignalKind | null {
  if (schema.toLowerCase() !== signalSchema.toLowerCase()) return null;
  switch (table.toLowerCase()) {
    case HEARTBEAT_TABLE:
      return 'heartbeat';
    case WATERMARK_TABLE:
      return 'watermark';
    default:
      return null;
  }
}

/** The statements that make the tables in a schema that exists; the first makes the schema. Each may be run again. */
export function signalTableStatements(signalSchema: string): {
  readonly schema: string;
  readonly heartbeat: string;
  readonly watermark: string;
} {
  const name = quoted(signalSchema);
  return {
    schema: `CREATE DATABASE IF NOT EXISTS ${name} CHARACTER SET utf8mb4`,
    heartbeat: `CREATE TABLE IF NOT EXISTS ${name}.\`${HEARTBEAT_TABLE}\` (
  ID BIGINT(19) NOT NULL AUTO_INCREMENT COMMENT 'number of the row',
  DS_NAME VARCHAR(64) NOT NULL COMMENT 'data source',
  SCHEMA_NAME VARCHAR(64) NOT NULL COMMENT 'schema, or * for all',
  TABLE_NAME VARCHAR(64) NOT NULL COMMENT 'table, or * for all',
  PACKET VARCHAR(256) NOT NULL COMMENT 'JSON',
  CREATE_TIME DATETIME NOT NULL,
  UPDATE_TIME DATETIME NOT NULL,
  PRIMARY KEY (ID)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`,
    watermark: `CREATE TABLE IF NOT EXISTS ${name}.\`${WATERMARK_TABLE}\` (
  id BIGINT NOT NULL AUTO_INCREMENT,
  ds VARCHAR(64) NOT NULL COMMENT 'data source',
  kind VARCHAR(16) NOT NULL,
  token VARCHAR(64) NOT NULL,
  packet VARCHAR(4096) NOT NULL DEFAULT '',
  create_time DATETIME(6) NOT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`,
  };
}

function quoted(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

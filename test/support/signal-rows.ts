/** Row images of umbus's own tables in the source, as a server writes them. */
import { Buffer } from 'node:buffer';
import { ColumnType } from '../../src/binlog/column-type.ts';
import type { TableSpec } from './binlog-builder.ts';

const varchar = (name: string, characters: number) => ({
  name,
  type: ColumnType.VARCHAR,
  meta: 4 * characters,
});
const datetime = (name: string, digits: number) => ({ name, type: ColumnType.DATETIME2, meta: digits });

/** `dbus.db_heartbeat_monitor`. */
export function heartbeatTable(tableId: number, options: Partial<TableSpec> = {}): TableSpec {
  return {
    tableId,
    schema: 'dbus',
    table: 'db_heartbeat_monitor',
    columns: [
      { name: 'ID', type: ColumnType.LONGLONG },
      varchar('DS_NAME', 64),
      varchar('SCHEMA_NAME', 64),
      varchar('TABLE_NAME', 64),
      varchar('PACKET', 256),
      datetime('CREATE_TIME', 0),
      datetime('UPDATE_TIME', 0),
    ],
    primaryKey: [0],
    ...options,
  };
}

/** `dbus.umbus_watermark`. */
export function watermarkTable(tableId: number, options: Partial<TableSpec> = {}): TableSpec {
  return {
    tableId,
    schema: 'dbus',
    table: 'umbus_watermark',
    columns: [
      { name: 'id', type: ColumnType.LONGLONG },
      varchar('ds', 64),
      varchar('kind', 16),
      varchar('token', 64),
      varchar('packet', 4096),
      datetime('create_time', 6),
    ],
    primaryKey: [0],
    ...options,
  };
}

/** A row of {@link heartbeatTable}. */
export function heartbeatImage(row: {
  readonly id: number;
  readonly ds: string;
  readonly schema: string;
  readonly table: string;
  readonly packet: string;
}): Buffer {
  const { id, ds, schema, table, packet } = row;
  const texts = [ds, schema, table, packet].map(text => sized(text, 2));
  return Buffer.concat([Buffer.alloc(1), number(id), ...texts, time(0), time(0)]);
}

/** A row of {@link watermarkTable}. */
export function watermarkImage(row: {
  readonly id: number;
  readonly ds: string;
  readonly mark: string;
  readonly token: string;
  readonly packet: string;
}): Buffer {
  const { id, ds, mark, token, packet } = row;
  const texts = [sized(ds, 2), sized(mark, 1), sized(token, 2), sized(packet, 2)];
  return Buffer.concat([Buffer.alloc(1), number(id), ...texts, time(6)]);
}

/** A packet as umbus writes it. */
export function packetOf(beat: number, micros: number): string {
  const timeMs = Math.floor(micros / 1000);
  return JSON.stringify({
    node: '/DBus/HeartBeat/Monitor/model/*/*/0',
    time: timeMs,
    type: 'checkpoint',
    txTime: timeMs - 1,
    beat,
    us: micros,
    skew: 0,
  });
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  return bytes;
}

/** Columns of more than 255 bytes, of four for each character, have lengths of two bytes. */
function sized(text: string, lengthBytes: 1 | 2): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(lengthBytes);
  length.writeUIntLE(bytes.length, 0, lengthBytes);
  return Buffer.concat([length, bytes]);
}

/** 2026-01-05 16:50:16 and zeros. */
function time(digits: 0 | 6): Buffer {
  const day = (2026 * 13 + 1) * 32 + 5;
  const packed = 0x8000000000n + (BigInt(day) << 17n) + BigInt((16 << 12) | (50 << 6) | 16);
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(packed << 24n);
  return Buffer.concat([bytes.subarray(0, 5), Buffer.alloc(digits / 2)]);
}

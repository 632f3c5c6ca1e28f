/** Makes binlog events and packets by hand, as a server would send them. For tests of whatever reads a binlog. */
import { Buffer } from 'node:buffer';
import { crc32 } from 'node:zlib';
import { EVENT_HEADER_BYTES, EventType } from '../../src/binlog/event-type.ts';
import { lenenc, type TableSpec, tableMapBody } from './table-map-builder.ts';

export { type ColumnSpec, lenenc, type TableSpec, tableMapBody } from './table-map-builder.ts';

export interface BinlogBuilderOptions {
  readonly flavor?: 'mysql' | 'mariadb';
  /** Default true. */
  readonly checksum?: boolean;
  readonly file?: string;
  /** File offset of the next event. Default 4. */
  readonly position?: number;
  readonly serverId?: number;
  /** Seconds in event headers. Default 1,700,000,000. */
  readonly timestamp?: number;
}

/** Source id of the GTIDs that the builder makes for MySQL. */
export const BUILDER_UUID = '00112233-4455-6677-8899-aabbccddeeff';

/**
 * Builds one dump event by event. Each method returns the whole event and advances the position; `packets` frames what was built since the last call.
 */
export class BinlogBuilder {
  readonly flavor: 'mysql' | 'mariadb';
  checksum: boolean;
  file: string;
  position: number;
  timestamp: number;
  /** Every event built so far, in order. */
  readonly events: Buffer[] = [];
  readonly #serverId: number;
  #framed = 0;
  #sequence = 1;
  #gno = 0;

  constructor(options: BinlogBuilderOptions = {}) {
    this.flavor = options.flavor ?? 'mysql';
    this.checksum = options.checksum ?? true;
    this.file = options.file ?? 'bin.000001';
    this.position = options.position ?? 4;
    this.timestamp = options.timestamp ?? 1_700_000_000;
    this.#serverId = options.serverId ?? 1;
  }

  /** Any event of the file. `logPos` replaces the true end offset. */
  event(type: number, body: Uint8Array, options: { flags?: number; logPos?: number } = {}): Buffer {
    const size = EVENT_HEADER_BYTES + body.length + (this.checksum ? 4 : 0);
    const end = this.position + size;
    const event = this.#make(type, body, options.logPos ?? end, options.flags ?? 0, this.checksum);
    if (options.logPos === undefined) this.position = end;
    return event;
  }

  /** The ROTATE that a dump sends before a file's first event. */
  artificialRotate(options: { checksum?: boolean } = {}): Buffer {
    return this.#make(
      EventType.ROTATE,
      rotateBody(this.file, this.position),
      0,
      0x20,
      options.checksum ?? this.checksum,
    );
  }

  /** The ROTATE that ends a file; what follows is in `file`. */
  rotate(file: string): Buffer {
    const event = this.event(EventType.ROTATE, rotateBody(file, 4));
    this.file = file;
    this.position = 4;
    return event;
  }

  /** FORMAT_DESCRIPTION. At an offset other than 4 it is the copy that begins a dump from there. */
  formatDescription(): Buffer {
    const version = this.flavor === 'mysql' ? '9.7.4' : '10.11.19-MariaDB-log';
    const body = Buffer.alloc(57 + 164 + 1);
    body.writeUInt16LE(4, 0);
    body.write(version, 2, 'latin1');
    body[56] = EVENT_HEADER_BYTES;
    body[56 + EventType.TABLE_MAP] = 8;
    for (const type of [23, 24, 25]) body[56 + type] = 8;
    for (const type of [30, 31, 32]) body[56 + type] = 10;
    body[57 + 164] = this.checksum ? 1 : 0;
    const isCopy = this.position !== 4;
    const end = this.position + EVENT_HEADER_BYTES + body.length + 4;
    const event = this.#make(EventType.FORMAT_DESCRIPTION, body, isCopy ? 0 : end, 0, true);
    if (!isCopy) this.position = end;
    return event;
  }

  /** How a dump begins: artificial ROTATE, FORMAT_DESCRIPTION. */
  begin(): this {
    this.artificialRotate();
    this.formatDescription();
    return this;
  }

  /** GTID of MySQL with commit times in microseconds, or of MariaDB (domain 0). Numbers count from 1 unless given. */
  gtid(
    options: { gno?: number; committedMicros?: number; standalone?: boolean; extraFlags?: number } = {},
  ): Buffer {
    this.#gno = options.gno ?? this.#gno + 1;
    if (this.flavor === 'mariadb') {
      const body = Buffer.alloc(19);
      body.writeBigUInt64LE(BigInt(this.#gno), 0);
      body[12] = options.standalone === true ? 1 : 0;
      body[13] = options.extraFlags ?? 0;
      return this.event(EventType.MARIADB_GTID, body);
    }
    const body = Buffer.alloc(58);
    Buffer.from(BUILDER_UUID.replaceAll('-', ''), 'hex').copy(body, 1);
    body.writeBigUInt64LE(BigInt(this.#gno), 17);
    body[25] = 2;
    const micros = BigInt(options.committedMicros ?? this.timestamp * 1_000_000);
    body.writeBigUInt64LE(micros, 42);
    body[49] = 0;
    return this.event(EventType.GTID, body);
  }

  query(sql: string, schema = 'shop', options: { status?: Uint8Array } = {}): Buffer {
    const name = Buffer.from(schema);
    const status = options.status ?? Buffer.alloc(0);
    const head = Buffer.alloc(13);
    head[8] = name.length;
    head.writeUInt16LE(status.length, 11);
    return this.event(
      EventType.QUERY,
      Buffer.concat([head, status, name, Buffer.alloc(1), Buffer.from(sql)]),
    );
  }

  xid(): Buffer {
    return this.event(EventType.XID, Buffer.alloc(8));
  }

  tableMap(spec: TableSpec): Buffer {
    return this.event(EventType.TABLE_MAP, tableMapBody(spec));
  }

  /** A row event (version 2, MariaDB version 1). `images`: null bitmaps and values, as bytes, one after the other. `present`: a bitmap for each image; default: all columns. */
  rows(
    operation: 'insert' | 'update' | 'delete',
    tableId: number,
    columnCount: number,
    images: Uint8Array,
    options: { flags?: number; present?: readonly Uint8Array[] } = {},
  ): Buffer {
    const v1 = this.flavor === 'mariadb';
    const types = v1 ? { insert: 23, update: 24, delete: 25 } : { insert: 30, update: 31, delete: 32 };
    const head = Buffer.alloc(v1 ? 8 : 10);
    head.writeUIntLE(tableId, 0, 6);
    head.writeUInt16LE(options.flags ?? 1, 6);
    if (!v1) head.writeUInt16LE(2, 8);
    const present = Buffer.alloc(Math.ceil(columnCount / 8), 0xff);
    const bitmaps = options.present ?? (operation === 'update' ? [present, present] : [present]);
    return this.event(types[operation], Buffer.concat([head, lenenc(columnCount), ...bitmaps, images]));
  }

  /** Version 1; not of the file, tells the present position. */
  heartbeat(): Buffer {
    return this.#make(EventType.HEARTBEAT, Buffer.from(this.file), this.position % 2 ** 32, 0, this.checksum);
  }

  /** Framed bytes of the events built since the last call. */
  packets(): Buffer {
    const parts = this.events.slice(this.#framed).map(event => this.packet(Buffer.concat([OK, event])));
    this.#framed = this.events.length;
    return Buffer.concat(parts);
  }

  /** One message as packets, with the next sequence ids. */
  packet(payload: Uint8Array): Buffer {
    const parts: Uint8Array[] = [];
    let at = 0;
    for (;;) {
      const length = Math.min(0xffffff, payload.length - at);
      const head = Buffer.alloc(4);
      head.writeUIntLE(length, 0, 3);
      head[3] = this.#sequence++ & 0xff;
      parts.push(head, payload.subarray(at, at + length));
      at += length;
      if (length < 0xffffff) return Buffer.concat(parts);
    }
  }

  #make(type: number, body: Uint8Array, logPos: number, flags: number, checksum: boolean): Buffer {
    const event = makeEvent(
      { type, timestamp: this.timestamp, serverId: this.#serverId, logPos, flags, checksum },
      body,
    );
    this.events.push(event);
    return event;
  }
}

const OK = Buffer.alloc(1);

/** A transaction: GTID, BEGIN, table map, rows, XID. */
export function transaction(
  builder: BinlogBuilder,
  table: TableSpec,
  images: Uint8Array,
  operation: 'insert' | 'update' | 'delete' = 'insert',
): void {
  builder.gtid();
  if (builder.flavor === 'mysql') builder.query('BEGIN', table.schema);
  builder.tableMap(table);
  builder.rows(operation, table.tableId, table.columns.length, images);
  builder.xid();
}

/** An ERR packet's payload. */
export function errPayload(code: number, text: string): Buffer {
  return Buffer.concat([Buffer.from([0xff, code & 255, code >> 8]), Buffer.from(`#HY000${text}`)]);
}

/** An EOF packet's payload. */
export function eofPayload(): Buffer {
  return Buffer.from([0xfe, 0, 0, 2, 0]);
}

/** Header, body and, when asked for, CRC32. */
export function makeEvent(
  header: {
    readonly type: number;
    readonly timestamp: number;
    readonly serverId: number;
    readonly logPos: number;
    readonly flags: number;
    readonly checksum: boolean;
  },
  body: Uint8Array,
): Buffer {
  const size = EVENT_HEADER_BYTES + body.length + (header.checksum ? 4 : 0);
  const event = Buffer.alloc(size);
  event.writeUInt32LE(header.timestamp, 0);
  event[4] = header.type;
  event.writeUInt32LE(header.serverId, 5);
  event.writeUInt32LE(size, 9);
  event.writeUInt32LE(header.logPos % 2 ** 32, 13);
  event.writeUInt16LE(header.flags, 17);
  event.set(body, EVENT_HEADER_BYTES);
  return header.checksum ? resum(event) : event;
}

/** Makes the CRC32 at the end of an event right again. Returns the same buffer. */
export function resum(event: Buffer): Buffer {
  event.writeUInt32LE(crc32(event.subarray(0, event.length - 4)), event.length - 4);
  return event;
}

function rotateBody(file: string, position: number): Buffer {
  const body = Buffer.alloc(8 + Buffer.byteLength(file));
  body.writeBigUInt64LE(BigInt(position), 0);
  body.write(file, 8);
  return body;
}

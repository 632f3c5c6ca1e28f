/** The binlog files of the model server: whole events with their offsets, in units that become visible together. */
import { Buffer } from 'node:buffer';
import { crc32 } from 'node:zlib';
import { EVENT_LOG_POS_AT, EventType } from '../../src/binlog/event-type.ts';
import { BinlogBuilder, BUILDER_UUID, type TableSpec } from '../support/binlog-builder.ts';

/** An event of a file. */
export interface StoredEvent {
  readonly file: string;
  /** File offsets of its first byte and after its last. */
  readonly start: number;
  readonly end: number;
  readonly bytes: Buffer;
}

/** How the server writes its binlog. */
export interface BinlogForm {
  readonly flavor: 'mysql' | 'mariadb';
  readonly checksum: boolean;
  /** MySQL: whether transactions have GTIDs or only anonymous ones. MariaDB always has them. */
  readonly gtids: boolean;
  readonly firstFile: number;
  /** Offset of the first event that is kept; above 4 the file begins with history that nobody asks for. */
  readonly firstPosition: number;
}

/** How a file ends: with ROTATE, with STOP as at a shutdown, or with nothing, as a killed server leaves it. */
export type FileEnd = 'rotate' | 'stop' | 'killed';

const GTID_COMMIT_TIME_AT = 42;
const MICROS = 1_000_000;

/** Writes binlog files, event after event. */
export class BinlogStore {
  readonly form: BinlogForm;
  readonly events: StoredEvent[] = [];
  /** How many events each visible unit ends after. */
  readonly unitEnds: number[] = [];
  /** Transactions so far, and for each the number of events with which it ended. */
  readonly #transactionEnds: number[] = [];
  readonly #builder: BinlogBuilder;
  #fileNumber: number;
  /** Microseconds since 1970-01-01 UTC: when the present transaction was committed. */
  #micros = 1_700_000_000 * MICROS;

  constructor(form: BinlogForm) {
    this.form = form;
    this.#fileNumber = form.firstFile;
    this.#builder = new BinlogBuilder({
      flavor: form.flavor,
      checksum: form.checksum,
      file: fileName(form.firstFile),
      position: form.firstPosition,
    });
    if (form.firstPosition === 4) this.#beginFile();
    this.endUnit();
  }

  get fileNumber(): number {
    return this.#fileNumber;
  }

  /** `ums_ts_` of what the present transaction does. */
  get timeText(): string {
    const { flavor } = this.form;
    const seconds = Math.floor(this.#micros / MICROS);
    const text = new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');
    const fraction = flavor === 'mariadb' ? '000' : String(this.#micros % MICROS).padStart(6, '0');
    return `${text}.${fraction}`;
  }

  /** Begins a transaction `waitMicros` after the last. A definition is a transaction of its own, without BEGIN. */
  begin(kind: 'rows' | 'definition', schema: string, waitMicros: number): void {
    const builder = this.#builder;
    this.#micros += waitMicros;
    builder.timestamp = Math.floor(this.#micros / MICROS);
    const anonymous = this.form.flavor === 'mysql' && !this.form.gtids;
    if (anonymous) this.#keep(this.#anonymousGtid());
    else {
      this.#keep(
        builder.gtid({
          gno: this.#transactionEnds.length + 1,
          committedMicros: this.#micros,
          standalone: kind === 'definition',
        }),
      );
    }
    if (kind === 'rows' && this.form.flavor === 'mysql') this.#keep(builder.query('BEGIN', schema));
  }

  #anonymousGtid(): Buffer {
    const body = Buffer.alloc(58);
    body[25] = 2;
    body.writeBigUInt64LE(BigInt(this.#micros), GTID_COMMIT_TIME_AT);
    body[49] = 0;
    return this.#builder.event(EventType.ANONYMOUS_GTID, body);
  }

  tableMap(spec: TableSpec): void {
    this.#keep(this.#builder.tableMap(spec));
  }

  /** A row event; `last` when it ends its statement. */
  rows(
    operation: 'insert' | 'update' | 'delete',
    spec: TableSpec,
    images: Uint8Array,
    last: boolean,
  ): StoredEvent {
    const flags = { flags: last ? 1 : 0 };
    return this.#keep(this.#builder.rows(operation, spec.tableId, spec.columns.length, images, flags));
  }

  statement(sql: string, schema: string): StoredEvent {
    return this.#keep(this.#builder.query(sql, schema));
  }

  /** Ends a transaction and its unit. */
  commit(kind: 'rows' | 'definition'): void {
    if (kind === 'rows') this.#keep(this.#builder.xid());
    this.#transactionEnds.push(this.events.length);
    this.endUnit();
  }

  /** Goes on in the next file. */
  nextFile(end: FileEnd): void {
    this.#fileNumber += 1;
    const file = fileName(this.#fileNumber);
    if (end === 'rotate') this.#keep(this.#builder.rotate(file), fileName(this.#fileNumber - 1));
    else if (end === 'stop') this.#keep(this.#builder.event(EventType.STOP, Buffer.alloc(0)));
    this.#builder.file = file;
    this.#builder.position = 4;
    this.#beginFile();
    this.endUnit();
  }

  endUnit(): void {
    this.unitEnds.push(this.events.length);
  }

  /** The GTID set that was executed before event `index`, in the server's text form; '' when transactions have none. */
  executedBefore(index: number): string {
    const done = this.#transactionEnds.filter(end => end <= index).length;
    if (done === 0 || (this.form.flavor === 'mysql' && !this.form.gtids)) return '';
    if (this.form.flavor === 'mariadb') return `0-1-${done}`;
    return `${BUILDER_UUID}:${done === 1 ? '1' : `1-${done}`}`;
  }

  #beginFile(): void {
    const builder = this.#builder;
    this.#keep(builder.formatDescription());
    const executed = this.#transactionEnds.length;
    if (this.form.flavor === 'mysql') {
      const known = executed > 0 && this.form.gtids;
      this.#keep(builder.event(EventType.PREVIOUS_GTIDS, known ? previousGtids(executed) : Buffer.alloc(8)));
      return;
    }
    this.#keep(builder.event(EventType.MARIADB_GTID_LIST, gtidList(executed)));
    const name = Buffer.from(builder.file);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(name.length);
    this.#keep(builder.event(EventType.MARIADB_BINLOG_CHECKPOINT, Buffer.concat([length, name])));
  }

  #keep(bytes: Buffer, file = this.#builder.file): StoredEvent {
    const last = this.events.at(-1);
    const isFirstFile = file === fileName(this.form.firstFile);
    const start = last?.file === file ? last.end : isFirstFile ? this.form.firstPosition : 4;
    const event = { file, start, end: start + bytes.length, bytes };
    this.events.push(event);
    return event;
  }
}

/** `bin.000007` for 7. */
export function fileName(number: number): string {
  return `bin.${String(number).padStart(6, '0')}`;
}

/** An event of a file in short: file, the end that its header says, and a sum over all its bytes. */
export function eventText(file: string, bytes: Uint8Array): string {
  const end = Buffer.from(bytes).readUInt32LE(EVENT_LOG_POS_AT);
  return `${file}:${end} ${crc32(bytes).toString(16)}`;
}

/** Body of PREVIOUS_GTIDS: one source, one interval from 1. */
function previousGtids(executed: number): Buffer {
  const body = Buffer.alloc(8 + 16 + 8 + 16);
  body.writeBigUInt64LE(1n, 0);
  Buffer.from(BUILDER_UUID.replaceAll('-', ''), 'hex').copy(body, 8);
  body.writeBigUInt64LE(1n, 24);
  body.writeBigUInt64LE(1n, 32);
  body.writeBigUInt64LE(BigInt(executed + 1), 40);
  return body;
}

/** Body of GTID_LIST: domain 0, server 1, or nothing yet. */
function gtidList(executed: number): Buffer {
  const body = Buffer.alloc(executed > 0 ? 4 + 16 : 4);
  body.writeUInt32LE(executed > 0 ? 1 : 0, 0);
  if (executed === 0) return body;
  body.writeUInt32LE(1, 8);
  body.writeBigUInt64LE(BigInt(executed), 12);
  return body;
}

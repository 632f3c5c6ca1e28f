import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { ChangeConnection } from '../../../src/ports/change-source.ts';

const PACKET_HEADER = 4;
const LONGEST_PACKET = 0xffffff;
const EVENT_HEADER = 19;
const EventType = {
  ROTATE: 4,
  FORMAT_DESCRIPTION: 15,
  XID: 16,
  HEARTBEAT: 27,
  HEARTBEAT_V2: 41,
  ANNOTATE_ROWS: 160,
};

/** An event as its bytes, header and checksum included. */
export interface BinlogEvent {
  readonly type: number;
  readonly bytes: Buffer;
  /** File and offset of its first byte. */
  readonly file: string;
  readonly position: number;
}

/** An ERR packet that ended a dump. */
export class ServerRefusal extends Error {}

function isArtificial(event: Buffer): boolean {
  const type = event[4];
  if (type === EventType.HEARTBEAT || type === EventType.HEARTBEAT_V2) return true;
  // Events that the server makes up for this dump have no time, or no position in the file.
  return event.readUInt32LE(13) === 0 || event.readUInt32LE(0) === 0;
}

/** Where the body ends: before the checksum, when the last four bytes are one. */
function bodyEnd(event: Buffer): number {
  const end = event.length - 4;
  return crc32(event.subarray(0, end)) === event.readUInt32LE(end) ? end : event.length;
}

/**
 * Splits a dump into the events of the binlog files, independently of the product's own framing: the artificial events and the format
 * description that opens each dump are left out. Positions are told by the events before.
 */
export class DumpReader {
  readonly #connection: ChangeConnection;
  #bytes: Buffer = Buffer.alloc(0);
  #file: string;
  #position: number;

  constructor(connection: ChangeConnection) {
    this.#connection = connection;
    this.#file = connection.from.file;
    this.#position = connection.from.position;
  }

  /** The next event of the files; null at the end of the connection. Throws {@link ServerRefusal} on an ERR packet. */
  async next(): Promise<BinlogEvent | null> {
    for (;;) {
      const packet = await this.#packet();
      if (packet === null) return null;
      if (packet[0] === 0xff) throw new ServerRefusal(packet.toString('utf8', 3));
      const event = this.#event(packet.subarray(1));
      if (event !== null) return event;
    }
  }

  #event(bytes: Buffer): BinlogEvent | null {
    const type = bytes[4] ?? 0;
    if (isArtificial(bytes)) {
      if (type === EventType.ROTATE) {
        this.#position = Number(bytes.readBigUInt64LE(EVENT_HEADER));
        this.#file = bytes.toString('latin1', EVENT_HEADER + 8, bodyEnd(bytes));
      }
      return null;
    }
    if (type === EventType.FORMAT_DESCRIPTION) {
      this.#position = Math.max(this.#position, bytes.readUInt32LE(13));
      return null;
    }
    const end = bytes.readUInt32LE(13);
    this.#position = end - bytes.length;
    const event = { type, bytes: Buffer.from(bytes), file: this.#file, position: this.#position };
    this.#position = end;
    return event;
  }

  /** A whole payload, put together from packets of 16 MB. */
  async #packet(): Promise<Buffer | null> {
    const parts: Buffer[] = [];
    for (;;) {
      if (!(await this.#have(PACKET_HEADER))) return null;
      const length = this.#bytes.readUIntLE(0, 3);
      if (!(await this.#have(PACKET_HEADER + length))) return null;
      parts.push(this.#bytes.subarray(PACKET_HEADER, PACKET_HEADER + length));
      this.#bytes = this.#bytes.subarray(PACKET_HEADER + length);
      if (length < LONGEST_PACKET) return parts.length === 1 ? (parts[0] ?? null) : Buffer.concat(parts);
    }
  }

  async #have(length: number): Promise<boolean> {
    if (this.#bytes.length >= length) return true;
    const chunks: Uint8Array[] = [this.#bytes];
    let total = this.#bytes.length;
    while (total < length) {
      const chunk = await this.#connection.read();
      if (chunk === null) return false;
      chunks.push(chunk);
      total += chunk.length;
    }
    this.#bytes = Buffer.concat(chunks);
    return true;
  }
}

/** Whether an event commits a transaction of rows. */
export function isCommit(event: BinlogEvent): boolean {
  return event.type === EventType.XID;
}

/** Events of a file that a replica gets in another form, or only on request. */
const NOT_SENT = new Set([EventType.FORMAT_DESCRIPTION, EventType.ANNOTATE_ROWS]);

/** The events of a binlog file on disk from `position` on, without its format description and statement texts. */
export function eventsOfFile(dataDir: string, file: string, position = 4): readonly BinlogEvent[] {
  const bytes = readFileSync(join(dataDir, file));
  const events: BinlogEvent[] = [];
  for (let at = position; at + EVENT_HEADER <= bytes.length; ) {
    const length = bytes.readUInt32LE(at + 9);
    const event = { type: bytes[at + 4] ?? 0, bytes: bytes.subarray(at, at + length), file, position: at };
    if (!NOT_SENT.has(event.type)) events.push(event);
    at += length;
  }
  return events;
}

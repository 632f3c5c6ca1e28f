import { Buffer } from 'node:buffer';
import { UmbusError } from '../core/errors.ts';
import { EVENT_HEADER_BYTES, EVENT_SIZE_AT } from './event-type.ts';
import type { ServerError } from './server-error.ts';

/** Takes what a dump sends, in order. What a method throws leaves the framer unusable until `reset`. */
export interface PacketSink {
  /** One event: `[start, end)` of `bytes`, and `view` over the same memory. Valid during the call only. */
  event(bytes: Buffer, view: DataView, start: number, end: number): void;
  /** An ERR packet; the server sends nothing after it. */
  failed(error: ServerError): void;
  /** An EOF packet: the server has ended the dump. */
  ended(): void;
}

const HEADER_BYTES = 4;
/** A packet with this many bytes goes on in the next packet. */
const FULL_PACKET_BYTES = 0xffffff;
/** OK byte, then the event header. */
const PREFIX_BYTES = 1 + EVENT_HEADER_BYTES;
const OK = 0x00;
const EOF = 0xfe;
const ERR = 0xff;
/** An EOF packet is shorter than this; a longer one that begins with 0xfe is something else. */
const EOF_LIMIT_BYTES = 9;
/** Longer than any ERR packet: 2 bytes code, 6 bytes state, 512 bytes text. */
const ERR_LIMIT_BYTES = 4096;
/** A joining buffer above this is given back after use. */
const KEPT_BYTES = 1 << 20;
const EMPTY = Buffer.alloc(0);

/**
 * Cuts the bytes of a binlog dump into events: removes packet headers and OK bytes, joins events over 16 MB from their packets. Events that lie
 * whole inside a chunk are not copied; an event cut by a chunk's end, or over 16 MB, is joined in one buffer of its size.
 * Format: MySQL source documentation, "MySQL Packets" and "Binlog Network Stream".
 */
export class PacketFramer {
  readonly #maxEventBytes: number;
  readonly #head = Buffer.alloc(HEADER_BYTES);
  #headBytes = 0;
  #sequence = 1;
  /** The message being joined: its payload so far, without packet headers. */
  #joined = EMPTY;
  #joinedBytes = 0;
  /** Payload bytes of the current packet that have not come yet. */
  #missing = 0;
  #joining = false;
  #continues = false;

  /** Events larger than `maxEventBytes` are an error. */
  constructor(options: { readonly maxEventBytes: number }) {
    this.#maxEventBytes = options.maxEventBytes;
  }

  /** Forgets everything: the next byte is the first of a dump, whose first packet has sequence id 1. */
  reset(): void {
    this.#headBytes = 0;
    this.#sequence = 1;
    this.#joined = EMPTY;
    this.#joinedBytes = 0;
    this.#missing = 0;
    this.#joining = false;
    this.#continues = false;
  }

  /**
   * Hands every event that ends in `chunk` to the sink. Keeps no reference to `chunk`.
   * Errors: UMBUS_SOURCE_PROTOCOL (sequence ids, packets of no known kind, an event above the limit), UMBUS_BINLOG_TRUNCATED (an event that ends
   * before its own size says), and what the sink throws.
   */
  push(chunk: Uint8Array, sink: PacketSink): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let at = 0;
    for (;;) {
      if (!this.#joining && this.#headBytes === 0) at = this.#wholePackets(bytes, view, at, sink);
      if (at === bytes.length) return;
      at = this.#join(bytes, at, sink);
    }
  }

  /** Packets that lie whole in the chunk, from `start` on. Returns where the first one begins that does not. */
  #wholePackets(bytes: Buffer, view: DataView, start: number, sink: PacketSink): number {
    const end = bytes.length;
    let at = start;
    while (end - at >= HEADER_BYTES) {
      const header = view.getUint32(at, true);
      const length = header & FULL_PACKET_BYTES;
      const next = at + HEADER_BYTES + length;
      if (next > end || length === FULL_PACKET_BYTES) return at;
      this.#countSequence(header >>> 24);
      if (length > 0 && view.getUint8(at + HEADER_BYTES) === OK) {
        sink.event(bytes, view, at + HEADER_BYTES + 1, next);
      } else this.#special(bytes.subarray(at + HEADER_BYTES, next), sink);
      at = next;
    }
    return at;
  }

  /** Takes what the message cut by a chunk's end, or sent in several packets, still needs. Returns where the next message begins, or the chunk's end. */
  #join(bytes: Buffer, start: number, sink: PacketSink): number {
    let at = start;
    const end = bytes.length;
    for (;;) {
      if (!this.#joining || (this.#missing === 0 && this.#continues)) {
        const taken = Math.min(HEADER_BYTES - this.#headBytes, end - at);
        bytes.copy(this.#head, this.#headBytes, at, at + taken);
        this.#headBytes += taken;
        at += taken;
        if (this.#headBytes < HEADER_BYTES) return at;
        this.#beginPacket();
      }
      const taken = Math.min(this.#missing, end - at);
      this.#append(bytes, at, taken);
      at += taken;
      if (this.#missing > 0) return at;
      if (!this.#continues) {
        this.#finish(sink);
        return at;
      }
      if (at === end) return at;
    }
  }

  #beginPacket(): void {
    const header = this.#head.readUInt32LE(0);
    this.#headBytes = 0;
    this.#countSequence(header >>> 24);
    this.#missing = header & FULL_PACKET_BYTES;
    this.#continues = this.#missing === FULL_PACKET_BYTES;
    this.#joining = true;
    this.#checkSize(this.#joinedBytes + this.#missing - 1);
  }

  #append(bytes: Buffer, at: number, length: number): void {
    this.#reserve(this.#joinedBytes + length);
    bytes.copy(this.#joined, this.#joinedBytes, at, at + length);
    this.#joinedBytes += length;
    this.#missing -= length;
  }

  /** Makes room. As soon as the event's own size is known, for the whole event at once. */
  #reserve(needed: number): void {
    if (needed <= this.#joined.length) return;
    let capacity = Math.max(needed, this.#joinedBytes + Math.min(this.#missing, KEPT_BYTES));
    if (this.#joinedBytes >= PREFIX_BYTES && this.#joined[0] === OK) {
      const eventBytes = this.#joined.readUInt32LE(1 + EVENT_SIZE_AT);
      this.#checkSize(eventBytes);
      if (needed > 1 + eventBytes) {
        throw new UmbusError(
          'UMBUS_BINLOG_TRUNCATED',
          `A packet has more bytes than its event of ${eventBytes} says.`,
        );
      }
      capacity = 1 + eventBytes;
    }
    const grown = Buffer.allocUnsafeSlow(capacity);
    this.#joined.copy(grown, 0, 0, this.#joinedBytes);
    this.#joined = grown;
  }

  #checkSize(eventBytes: number): void {
    if (eventBytes <= this.#maxEventBytes) return;
    throw new UmbusError(
      'UMBUS_SOURCE_PROTOCOL',
      `An event has ${eventBytes} bytes; at most ${this.#maxEventBytes} are read.`,
      { details: { eventBytes, maxEventBytes: this.#maxEventBytes } },
    );
  }

  #finish(sink: PacketSink): void {
    const message = this.#joined;
    const end = this.#joinedBytes;
    this.#joining = false;
    this.#joinedBytes = 0;
    if (message.length > KEPT_BYTES) this.#joined = EMPTY;
    if (end > 0 && message[0] === OK) {
      sink.event(message, new DataView(message.buffer, message.byteOffset, message.length), 1, end);
    } else this.#special(message.subarray(0, end), sink);
  }

  #countSequence(got: number): void {
    if (got !== this.#sequence) {
      throw new UmbusError(
        'UMBUS_SOURCE_PROTOCOL',
        `A packet has sequence id ${got} where ${this.#sequence} must follow: bytes of the stream are missing.`,
        { details: { got, expected: this.#sequence } },
      );
    }
    this.#sequence = (got + 1) & 0xff;
  }

  #special(payload: Buffer, sink: PacketSink): void {
    const kind = payload[0];
    if (kind === ERR && payload.length >= 3 && payload.length <= ERR_LIMIT_BYTES) {
      sink.failed(serverErrorOf(payload));
    } else if (kind === EOF && payload.length < EOF_LIMIT_BYTES) sink.ended();
    else {
      throw new UmbusError(
        'UMBUS_SOURCE_PROTOCOL',
        `The server sent a packet of ${payload.length} bytes that is neither an event, an error nor an end.`,
        { details: { bytes: payload.length, first: kind ?? -1 } },
      );
    }
  }
}

function serverErrorOf(payload: Buffer): ServerError {
  const hasState = payload[3] === 0x23;
  return {
    code: payload.readUInt16LE(1),
    sqlState: hasState ? payload.toString('latin1', 4, 9) : '',
    text: payload.toString('utf8', hasState ? 9 : 3),
  };
}

import { Buffer } from 'node:buffer';
import { UmbusError } from '../../core/errors.ts';
import { viewOf } from '../../ums/tuple-buffer.ts';

const HEADER_BYTES = 4;
/** A packet with this many bytes goes on in the next packet. */
const FULL_PACKET_BYTES = 0xffffff;
/** The largest `max_allowed_packet` of servers, and a packet's room beyond it. */
const MAX_PACKET_BYTES = 2 ** 30 + FULL_PACKET_BYTES;
const EMPTY = Buffer.alloc(0);
/** Of most packets. Longer ones are joined in memory of their own. */
const SPARE_BYTES = 64 * 1024;

/**
 * Cuts what a server sends into packets. A packet that lies whole inside a chunk is not copied; others are joined in a buffer of their size, once.
 * Format: MySQL source documentation, "MySQL Packets".
 */
export class PacketReader {
  /** The packet that `next` found: `[start, end)` of `bytes`, without its header. Valid until the next call. */
  bytes: Buffer = EMPTY;
  /** The view of `bytes`. */
  view: DataView = viewOf(EMPTY);
  start = 0;
  end = 0;
  #chunk: Buffer = EMPTY;
  #chunkView: DataView = viewOf(EMPTY);
  #at = 0;
  readonly #head = Buffer.alloc(HEADER_BYTES);
  #headBytes = 0;
  /** The payload that is filled while it lies in several chunks; null between packets. */
  #filling: Buffer | null = null;
  /** Its bytes so far, and all of them. */
  #filled = 0;
  #wanted = 0;
  /** Payloads of a packet that goes on, so far. */
  #parts: Buffer[] = [];
  #partBytes = 0;
  readonly #maxBytes: number;
  /** Where short packets are joined, one after the other. */
  readonly #spare: Buffer = Buffer.allocUnsafeSlow(SPARE_BYTES);
  readonly #spareView: DataView = viewOf(this.#spare);

  /** `maxBytes`: of a packet, its parts taken together. */
  constructor(maxBytes = MAX_PACKET_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Gives the next bytes. To be called when `next` gave false; the chunk must not change until then. */
  push(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#chunkView = viewOf(chunk);
    this.#at = 0;
  }

  /** Goes to the next packet; false when its bytes are not all there. Errors: UMBUS_SOURCE_PROTOCOL for a packet that is longer than servers send. */
  next(): boolean {
    for (;;) {
      if (this.#filling === null) {
        if (this.#headBytes === 0 && this.#parts.length === 0 && this.#wholePacket()) return true;
        if (!this.#beginPacket()) return false;
      }
      const payload = this.#fill();
      if (payload === null) return false;
      if (payload === this.#spare) {
        this.#found(payload, this.#spareView, 0, this.#filled);
        return true;
      }
      this.#parts.push(payload);
      if (payload.length === FULL_PACKET_BYTES) continue;
      const whole = this.#parts.length === 1 ? payload : Buffer.concat(this.#parts);
      this.#parts = [];
      this.#found(whole, viewOf(whole), 0, whole.length);
      return true;
    }
  }

  #wholePacket(): boolean {
    const chunk = this.#chunk;
    const at = this.#at;
    if (chunk.length - at < HEADER_BYTES) return false;
    const length = this.#chunkView.getUint32(at, true) & FULL_PACKET_BYTES;
    const end = at + HEADER_BYTES + length;
    if (end > chunk.length || length === FULL_PACKET_BYTES) return false;
    this.#found(chunk, this.#chunkView, at + HEADER_BYTES, end);
    this.#at = end;
    return true;
  }

  #found(bytes: Buffer, view: DataView, start: number, end: number): void {
    this.bytes = bytes;
    this.view = view;
    this.start = start;
    this.end = end;
    this.#partBytes = 0;
  }

  #beginPacket(): boolean {
    const taken = Math.min(HEADER_BYTES - this.#headBytes, this.#chunk.length - this.#at);
    this.#chunk.copy(this.#head, this.#headBytes, this.#at, this.#at + taken);
    this.#at += taken;
    this.#headBytes += taken;
    if (this.#headBytes < HEADER_BYTES) return false;
    this.#headBytes = 0;
    const length = this.#head.readUIntLE(0, 3);
    this.#partBytes += length;
    if (this.#partBytes > this.#maxBytes) {
      throw new UmbusError(
        'UMBUS_SOURCE_PROTOCOL',
        `The server sent a packet of more than ${this.#maxBytes} bytes.`,
      );
    }
    const fits = length <= SPARE_BYTES && this.#parts.length === 0;
    this.#filling = fits ? this.#spare : Buffer.allocUnsafeSlow(length);
    this.#wanted = length;
    this.#filled = 0;
    return true;
  }

  #fill(): Buffer | null {
    const filling = this.#filling ?? EMPTY;
    const most = this.#wanted - this.#filled;
    const taken = this.#chunk.copy(
      filling,
      this.#filled,
      this.#at,
      Math.min(this.#chunk.length, this.#at + most),
    );
    this.#at += taken;
    this.#filled += taken;
    if (this.#filled < this.#wanted) return null;
    this.#filling = null;
    return filling;
  }
}

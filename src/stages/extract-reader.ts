import type { Buffer } from 'node:buffer';
import { crc32 } from '../binlog/crc32.ts';
import {
  EVENT_CHECKSUM_BYTES,
  EVENT_FLAGS_AT,
  EVENT_HEADER_BYTES,
  EVENT_LOG_POS_AT,
  EVENT_SIZE_AT,
  EVENT_TYPE_AT,
  EventType,
  FLAG_ARTIFICIAL,
} from '../binlog/event-type.ts';
import { parseFormatDescription } from '../binlog/format-description.ts';
import type { PacketSink } from '../binlog/packets.ts';
import { unwrapEnd } from '../binlog/position.ts';
import { parseRotate, type Rotation } from '../binlog/rotate.ts';
import { errorOfServer, type ServerError } from '../binlog/server-error.ts';
import { UmbusError } from '../core/errors.ts';
import { isSilent } from './extract-unread.ts';

/** What the reader tells of the binlog. */
export interface EventListener {
  /** What comes is in another file. Called before `rotated`, also when the file before has no ROTATE event at its end: its server was killed. */
  fileEnded(): void;
  /** The next event is in this file, at or after this offset. Called before the first event of a dump, and for each rotation, which the server may tell twice. */
  rotated(to: Rotation): void;
  /**
   * An event of the file, checked: `[start, end)` of `bytes` is the whole, `bodyEnd` is before its checksum; it is at `position` of the file. Valid during the call only.
   */
  fileEvent(
    type: number,
    bytes: Buffer,
    view: DataView,
    start: number,
    bodyEnd: number,
    end: number,
    position: number,
  ): void;
}

const WRAP = 0x1_0000_0000;
const MAX_GAP_BYTES = 0x8000_0000;
const ROTATE_FIXED_BYTES = 8;
/** The checksum algorithm, the last byte of a format description before its sum, of a file whose events have none. */
const NO_CHECKSUM = 0;
/** A binlog file begins with four magic bytes. */
const FIRST_EVENT_AT = 4;

/** Checks events and places them in the 64-bit offsets of their files. Events that the dump itself makes are used here and go no further. */
export class EventReader implements PacketSink {
  readonly #listener: EventListener;
  #file = '';
  /** End of the last event, and that without its low 32 bits. */
  #position = 0;
  #wraps = 0;
  #described = false;
  #checksum = false;

  constructor(listener: EventListener) {
    this.#listener = listener;
  }

  /** Begins anew, before the first event of a dump that was asked to begin there. */
  reset(at: Rotation): void {
    this.#described = false;
    this.#checksum = false;
    this.#goTo(at);
  }

  get file(): string {
    return this.#file;
  }

  /** File offset after the last event seen. */
  get position(): number {
    return this.#position;
  }

  /** Whether events end with a CRC32. */
  get checksum(): boolean {
    return this.#checksum;
  }

  /** `<file>:<offset after the last event>`, for messages. */
  get place(): string {
    return `${this.#file}:${this.#position}`;
  }

  /** Errors: UMBUS_BINLOG_TRUNCATED, UMBUS_BINLOG_CHECKSUM, UMBUS_BINLOG_EVENT, UMBUS_SOURCE_PROTOCOL (also for a position that cannot be), and what the listener throws. */
  event(bytes: Buffer, view: DataView, start: number, end: number): void {
    const size = end - start;
    if (size < EVENT_HEADER_BYTES || view.getUint32(start + EVENT_SIZE_AT, true) !== size) {
      throw new UmbusError(
        'UMBUS_BINLOG_TRUNCATED',
        `A packet of ${size} bytes does not hold the event it begins with.`,
      );
    }
    const type = view.getUint8(start + EVENT_TYPE_AT);
    if (type === EventType.FORMAT_DESCRIPTION) this.#describe(bytes, view, start, end);
    const artificial = this.#isArtificial(view, start, size) || this.#isCopiedDescription(type);
    if (artificial && type === EventType.ROTATE) {
      this.#rotateArtificially(bytes, view, start, end);
      return;
    }
    if (!this.#described) {
      throw new UmbusError(
        'UMBUS_SOURCE_PROTOCOL',
        `Event type ${type} comes before any format description.`,
      );
    }
    let bodyEnd = end;
    if (this.#checksum) {
      bodyEnd = end - EVENT_CHECKSUM_BYTES;
      this.#check(bytes, view, start, bodyEnd);
    }
    if (artificial || isPlaceless(type)) {
      if (artificial) this.#requireSilent(type);
      return;
    }
    const logPos = view.getUint32(start + EVENT_LOG_POS_AT, true);
    let next = this.#wraps + logPos;
    const gap = next - size - this.#position;
    if (gap < 0 || gap >= MAX_GAP_BYTES) {
      next = unwrapEnd(logPos, size, this.#position);
      this.#wraps = next - (next % WRAP);
    }
    const position = next - size;
    if (position !== this.#position && isWithinTransaction(type)) throw this.#misplaced(type, position);
    // First the listener, so that what it closes on account of this event ends before it.
    this.#listener.fileEvent(type, bytes, view, start, bodyEnd, end, position);
    this.#position = next;
    if (type === EventType.ROTATE) this.#enter(parseRotate(bytes, start + EVENT_HEADER_BYTES, bodyEnd));
  }

  failed(error: ServerError): void {
    throw errorOfServer(error, this.place);
  }

  ended(): void {
    throw new UmbusError(
      'UMBUS_SOURCE_DISCONNECTED',
      `The server ended the binlog stream after ${this.place}.`,
    );
  }

  #enter(at: Rotation): void {
    if (at.file !== this.#file) this.#listener.fileEnded();
    this.#goTo(at);
    this.#listener.rotated(at);
  }

  #goTo(at: Rotation): void {
    this.#file = at.file;
    this.#position = at.position;
    this.#wraps = at.position - (at.position % WRAP);
  }

  #describe(bytes: Buffer, view: DataView, start: number, end: number): void {
    if (end - start < EVENT_HEADER_BYTES + EVENT_CHECKSUM_BYTES) {
      throw new UmbusError('UMBUS_BINLOG_TRUNCATED', 'The FORMAT_DESCRIPTION event has no body.');
    }
    // First the sum: a damaged description must not pass for one of a form that is not read. Without checksums, a copy may have an old sum.
    const summed = end - EVENT_CHECKSUM_BYTES;
    if (view.getUint8(summed - 1) !== NO_CHECKSUM) this.#check(bytes, view, start, summed);
    const format = parseFormatDescription(bytes, start, end);
    this.#described = true;
    this.#checksum = format.checksum;
  }

  /**
   * Whether this event has a checksum depends on a session variable, on the file before it and on the server's make, so the bytes themselves must tell.
   */
  #rotateArtificially(bytes: Buffer, view: DataView, start: number, end: number): void {
    const summed = end - EVENT_CHECKSUM_BYTES;
    const hasChecksum =
      summed > start + EVENT_HEADER_BYTES + ROTATE_FIXED_BYTES &&
      crc32(bytes, view, start, summed) === view.getUint32(summed, true);
    const to = parseRotate(bytes, start + EVENT_HEADER_BYTES, hasChecksum ? summed : end);
    if (this.#described && to.file === this.#file && to.position < this.#position) {
      throw new UmbusError('UMBUS_SOURCE_PROTOCOL', `The stream went back to ${to.file}:${to.position}.`);
    }
    this.#enter(to);
  }

  /** Flagged, or without a log position. An event that ends at a multiple of 4 GB has 0 there too: the low 32 bits of its end. */
  #isArtificial(view: DataView, start: number, size: number): boolean {
    if ((view.getUint16(start + EVENT_FLAGS_AT, true) & FLAG_ARTIFICIAL) !== 0) return true;
    return view.getUint32(start + EVENT_LOG_POS_AT, true) === 0 && (this.#position + size) % WRAP !== 0;
  }

  /** A dump from the middle of a file sends the file's description first, whose place is the file's start. */
  #isCopiedDescription(type: number): boolean {
    return type === EventType.FORMAT_DESCRIPTION && this.#position !== FIRST_EVENT_AT;
  }

  /** What has no place in the file must not have changes either: they could not be told from those seen before. */
  #requireSilent(type: number): void {
    if (isSilent(type) || isDescriptive(type)) return;
    throw new UmbusError('UMBUS_SOURCE_PROTOCOL', `An event of type ${type} has no position in its file.`, {
      details: { type },
    });
  }

  /** Landed with a wrong position it would move the place from which the line goes on. */
  #misplaced(type: number, position: number): UmbusError {
    return new UmbusError(
      'UMBUS_SOURCE_PROTOCOL',
      `An event of type ${type} says that it lies at ${position}, but the one before it ends at ${this.place}.`,
      { details: { type, position } },
    );
  }

  #check(bytes: Buffer, view: DataView, start: number, end: number): void {
    if (end < start + EVENT_HEADER_BYTES) {
      throw new UmbusError('UMBUS_BINLOG_TRUNCATED', 'An event ends before its checksum.');
    }
    if (crc32(bytes, view, start, end) !== view.getUint32(end, true)) {
      throw new UmbusError('UMBUS_BINLOG_CHECKSUM', 'An event does not match its CRC32.');
    }
  }
}

/** Types that always follow the event before them at once. A server may leave events out before others: annotations before a table map, transactions before a GTID. */
function isWithinTransaction(type: number): boolean {
  switch (type) {
    case EventType.QUERY:
    case EventType.XID:
    case EventType.XA_PREPARE:
    case EventType.WRITE_ROWS_V1:
    case EventType.UPDATE_ROWS_V1:
    case EventType.DELETE_ROWS_V1:
    case EventType.WRITE_ROWS:
    case EventType.UPDATE_ROWS:
    case EventType.DELETE_ROWS:
      return true;
    default:
      return false;
  }
}

/** Types that a dump may send a copy of, to say what was before. */
function isDescriptive(type: number): boolean {
  return (
    type === EventType.FORMAT_DESCRIPTION ||
    type === EventType.PREVIOUS_GTIDS ||
    type === EventType.MARIADB_GTID_LIST
  );
}

/** Types whose log position is not that of an event in the file. */
function isPlaceless(type: number): boolean {
  return (
    type === EventType.HEARTBEAT ||
    type === EventType.HEARTBEAT_V2 ||
    type === EventType.MARIADB_START_ENCRYPTION
  );
}

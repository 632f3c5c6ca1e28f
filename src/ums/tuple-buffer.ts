import { Buffer } from 'node:buffer';
import { UmbusError } from '../core/errors.ts';

/** Above this size the buffer grows by need, not by doubling, so that one large value does not cost twice its size. */
const DOUBLING_LIMIT_BYTES = 16 * 1024 * 1024;

/**
 * Bytes that the tuples of a table may have together: logs keep the length of a record in 31 bits, and the head of a message needs some of them. Rows of the server have at most
 * 1 GB, which only rows of control characters or pairs of images can make so large.
 */
export const MAX_TUPLES_BYTES = 2 ** 31 - 2 ** 20;

/**
 * Bytes that tuples are written into, one after the other, each followed by a comma. Grows; never shrinks.
 * Writers work on `bytes` and `view` beyond `length` and set `length` only when a tuple is whole, so a failure in the
 * middle of one leaves nothing behind.
 */
export class TupleBuffer {
  bytes: Buffer;
  view: DataView;
  /** Bytes in use. */
  length = 0;
  /** Tuples in use: row images, so an update with its before image counts as two. */
  tuples = 0;
  /** Rows in use: an update counts as one. */
  rows = 0;
  /** Where the last row written begins, and how many tuples it has: 2 for an update with its before image. */
  lastStart = 0;
  lastTuples = 0;
  /** Values written as marks: bytes that are no text of their character set. Grows until `clear`, also for rows that failed later. */
  marks = 0;

  constructor(capacity = 16 * 1024) {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
    this.view = viewOf(this.bytes);
  }

  /** Forgets what is in use. */
  clear(): void {
    this.length = 0;
    this.tuples = 0;
    this.rows = 0;
    this.lastStart = 0;
    this.lastTuples = 0;
    this.marks = 0;
  }

  /**
   * Makes room for `need` bytes after the first `used`, which are kept. Replaces `bytes` and `view` when it has to. Errors: UMBUS_UMS_SIZE beyond {@link MAX_TUPLES_BYTES}.
   */
  grow(used: number, need: number): void {
    const wanted = used + need;
    if (wanted <= this.bytes.length) return;
    if (wanted > MAX_TUPLES_BYTES) {
      throw new UmbusError(
        'UMBUS_UMS_SIZE',
        `A row needs ${wanted} bytes as UMS; at most ${MAX_TUPLES_BYTES} can be written.`,
        { details: { bytes: wanted, limit: MAX_TUPLES_BYTES } },
      );
    }
    const doubled = this.bytes.length * 2;
    const bytes = Buffer.allocUnsafeSlow(
      doubled <= DOUBLING_LIMIT_BYTES && doubled > wanted ? doubled : wanted,
    );
    this.bytes.copy(bytes, 0, 0, used);
    this.bytes = bytes;
    this.view = viewOf(bytes);
  }
}

/** A view over the bytes of a buffer; for readers and writers of whole words. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

import { Buffer } from 'node:buffer';

/** Less than this is left to the garbage collector. */
const LEAST_BYTES = 32 * 1024;
/** Sizes between one power of two and the next. */
const STEPS = 8;

/**
 * Large buffers that are used again. Memory outside the heap that comes and goes at the rate of the data makes the garbage collector run all the time, and the
 * kernel clear its pages again and again.
 *
 * Who has a buffer may keep it for ever: only what is given back is used again, and giving back says that nobody refers to it any more.
 */
export class MemoryPool {
  readonly #maxFreeBytes: number;
  readonly #free = new Map<number, ArrayBufferLike[]>();
  readonly #lent = new WeakSet<ArrayBufferLike>();
  #freeBytes = 0;

  /** `maxFreeBytes`: what may wait for use; beyond that it is let go. */
  constructor(maxFreeBytes: number) {
    this.#maxFreeBytes = maxFreeBytes;
  }

  /** A buffer of so many bytes, not cleared, at the start of memory that nothing else shares. */
  take(bytes: number): Buffer {
    if (bytes < LEAST_BYTES) return Buffer.allocUnsafeSlow(bytes);
    const size = sizeFor(bytes);
    let memory = this.#free.get(size)?.pop();
    if (memory === undefined) memory = Buffer.allocUnsafeSlow(size).buffer;
    else this.#freeBytes -= size;
    this.#lent.add(memory);
    return Buffer.from(memory, 0, bytes);
  }

  /** Takes back the memory that holds these bytes; does nothing when it is not from here, or is back already. */
  giveBack(bytes: Uint8Array): void {
    if (bytes.length < LEAST_BYTES) return;
    const memory = bytes.buffer;
    const size = memory.byteLength;
    if (!this.#lent.delete(memory) || this.#freeBytes + size > this.#maxFreeBytes) return;
    this.#freeBytes += size;
    const free = this.#free.get(size);
    if (free === undefined) this.#free.set(size, [memory]);
    else free.push(memory);
  }
}

/** The next size up of those that are kept: few enough that what is given back fits what is asked for. */
function sizeFor(bytes: number): number {
  const step = 2 ** Math.floor(Math.log2(bytes)) / STEPS;
  return Math.ceil(bytes / step) * step;
}

/**
 * Memory of records that was lent to readers. A reader that holds nothing of a value any more may say so, once for each time that it has read it; memory of which all readers say so is used again. Nobody has to.
 */
export class LentMemory {
  readonly #owners = new WeakMap<ArrayBufferLike, () => void>();

  /** `returned` is called each time that a reader has done with this memory. */
  lend(memory: ArrayBufferLike, returned: () => void): void {
    this.#owners.set(memory, returned);
  }

  /** Says that its reader holds nothing of this value, nor of what shares its memory; does nothing when it was not lent. */
  giveBack(value: Uint8Array): void {
    this.#owners.get(value.buffer)?.();
  }
}

/** Memory of values that logs keep for their readers. */
export const readMemory = new LentMemory();

/** About what a busy process has on its way: memory that is dropped and made anew counts as new for the garbage collector. */
const RECORD_BYTES = 32 * 1_048_576;

/** Memory for values of records: the runtime gives it back when their commit is durable, so whoever takes from here hands it on and forgets it. */
export const recordMemory = new MemoryPool(RECORD_BYTES);

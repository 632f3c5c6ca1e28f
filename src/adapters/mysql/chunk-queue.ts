import { Buffer } from 'node:buffer';

/** Bytes that have arrived and wait for their reader, in chunks cut anywhere. */
export interface ChunkQueue {
  push(chunk: Buffer): void;
  /** The next chunk; null when none waits. */
  shift(): Buffer | null;
  /** Puts a chunk back in front. */
  unshift(chunk: Buffer): void;
  clear(): void;
}

/** Chunks read before their references are let go. */
const COMPACT_AFTER = 16;

/** Chunks as they were pushed. */
export class KeptChunks implements ChunkQueue {
  #chunks: Buffer[] = [];
  /** Index of the next chunk to read; chunks before it were read. */
  #head = 0;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  shift(): Buffer | null {
    const chunk = this.#chunks[this.#head];
    if (chunk === undefined) return null;
    this.#head += 1;
    if (this.#head === this.#chunks.length || this.#head === COMPACT_AFTER) {
      this.#chunks = this.#chunks.slice(this.#head);
      this.#head = 0;
    }
    return chunk;
  }

  unshift(chunk: Buffer): void {
    this.#chunks.splice(0, this.#head, chunk);
    this.#head = 0;
  }

  clear(): void {
    this.#chunks = [];
    this.#head = 0;
  }
}

/** Larger than what most reads of a socket give. */
const BLOCK_BYTES = 64 * 1024;

interface Block {
  readonly memory: Buffer;
  length: number;
}

/**
 * Copies of chunks, in blocks of memory that are used again: memory that comes and goes with the data makes the garbage collector run all the time. What `shift` gives is valid until the next call
 * of it.
 */
export class CopiedChunks implements ChunkQueue {
  #blocks: Block[] = [];
  readonly #free: Buffer[] = [];
  /** What was given last. */
  #lent: Buffer | null = null;

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      let last = this.#blocks.at(-1);
      if (last === undefined || last.length === last.memory.length) {
        last = { memory: this.#free.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES), length: 0 };
        this.#blocks.push(last);
      }
      const copied = chunk.copy(last.memory, last.length, at);
      last.length += copied;
      at += copied;
    }
  }

  shift(): Buffer | null {
    if (this.#lent !== null) this.#free.push(this.#lent);
    this.#lent = null;
    const block = this.#blocks.shift();
    if (block === undefined) return null;
    if (block.memory.length === BLOCK_BYTES) this.#lent = block.memory;
    return block.memory.subarray(0, block.length);
  }

  unshift(chunk: Buffer): void {
    this.#blocks.unshift({ memory: Buffer.from(chunk), length: chunk.length });
  }

  clear(): void {
    this.#blocks = [];
  }
}

import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { assert } from '../../core/assert.ts';
import { type ChunkQueue, CopiedChunks, KeptChunks } from './chunk-queue.ts';
import type { ReadTap } from './read-tap.ts';

/** How a wire holds and watches its socket. */
export interface WireOptions {
  readonly maxBufferedBytes: number;
  readonly idleMs: number;
  /** Of the socket, when it has one: what is read is then valid until the next read. */
  readonly tap?: ReadTap | null;
}

/**
 * The bytes that a server sends on a socket, pulled by one reader. The socket is paused while more than `maxBufferedBytes` wait, and
 * goes on at half of that. When nothing arrives for `idleMs` while the socket is not paused, the connection is taken as dead.
 */
export class Wire implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #maxBufferedBytes: number;
  readonly #idleMs: number;
  readonly #chunks: ChunkQueue;
  #buffered = 0;
  #paused = false;
  #ended = false;
  #waiting: ((chunk: Buffer | null) => void) | null = null;

  /** Takes the socket over: whoever listened to its data does so no more. */
  constructor(socket: Socket, { maxBufferedBytes, idleMs, tap = null }: WireOptions) {
    this.#socket = socket;
    this.#maxBufferedBytes = maxBufferedBytes;
    this.#idleMs = idleMs;
    this.#chunks = tap === null ? new KeptChunks() : new CopiedChunks();
    socket.removeAllListeners('data');
    if (tap === null) socket.on('data', chunk => this.#arrived(chunk));
    else tap.take(chunk => this.#arrived(chunk));
    for (const event of ['end', 'close', 'error', 'timeout'] as const) socket.on(event, () => this.#end());
    socket.setKeepAlive(true, this.#idleMs);
    socket.setTimeout(this.#idleMs);
    if (socket.destroyed) this.#end();
  }

  /** Bytes that `read` would give without waiting. */
  get buffered(): number {
    return this.#buffered;
  }

  /** Sends a command. A socket that is gone shows in `read`. */
  write(bytes: Buffer): void {
    if (!this.#ended) this.#socket.write(bytes);
  }

  /** The next bytes, cut anywhere; null when the connection is gone and all was read. One call at a time. */
  read(): Promise<Buffer | null> {
    assert(this.#waiting === null, 'A wire has one reader at a time.');
    const chunk = this.#shift();
    if (chunk !== null) return Promise.resolve(chunk);
    if (this.#ended) return Promise.resolve(null);
    return new Promise(resolve => {
      this.#waiting = resolve;
    });
  }

  /** Gives bytes back that were read, to be read again first. */
  unread(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.unshift(chunk);
    this.#buffered += chunk.length;
  }

  /** Cuts the connection; a waiting read gives null. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#chunks.clear();
    this.#buffered = 0;
    this.#end();
  }

  #arrived(chunk: string | Buffer): void {
    if (this.#ended || typeof chunk === 'string') return;
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    const waiting = this.#waiting;
    if (waiting !== null) {
      this.#waiting = null;
      waiting(this.#shift());
      return;
    }
    if (this.#buffered > this.#maxBufferedBytes && !this.#paused) {
      this.#paused = true;
      this.#socket.pause();
      // A paused socket is silent because of us.
      this.#socket.setTimeout(0);
    }
  }

  #shift(): Buffer | null {
    const chunk = this.#chunks.shift();
    if (chunk === null) return null;
    this.#buffered -= chunk.length;
    if (this.#paused && this.#buffered <= this.#maxBufferedBytes / 2) {
      this.#paused = false;
      if (!this.#ended) {
        this.#socket.setTimeout(this.#idleMs);
        this.#socket.resume();
      }
    }
    return chunk;
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#socket.destroy();
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.(null);
  }
}

import { Buffer } from 'node:buffer';
import { connect, type Socket } from 'node:net';

/** Larger than what most reads give. */
const READ_BYTES = 64 * 1024;

/**
 * A socket that reads into one buffer again and again, where Node would make a new one for each read. Until somebody takes what it reads, those who listen to its data get it, as copies.
 */
export class ReadTap {
  /** Is connecting. */
  readonly socket: Socket;
  #take: ((bytes: Buffer) => void) | null = null;

  constructor(host: string, port: number) {
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    const callback = (length: number): boolean => {
      const bytes = buffer.subarray(0, length);
      if (this.#take === null) this.socket.emit('data', Buffer.from(bytes));
      else this.#take(bytes);
      return true;
    };
    this.socket = connect({ host, port, noDelay: true, keepAlive: true, onread: { buffer, callback } });
  }

  /** From now on `take` gets what is read, and nobody else does. The bytes are valid until it returns. */
  take(take: (bytes: Buffer) => void): void {
    this.#take = take;
  }
}

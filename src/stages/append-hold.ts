/** Messages of a table that wait until a full pull of it is whole, as the appender's store `held` keeps them. */
import { Buffer } from 'node:buffer';
import type { Headers } from '../ports/log.ts';
import { bytes, utf8 } from '../topology/serdes.ts';
import { store } from '../topology/topic.ts';
import type { Store, StoreDef } from '../topology/types.ts';
import type { AppendOutput } from './append-options.ts';

/** By `schema.table`, a zero character and a number of ten digits: a message, as {@link encodeHeld} writes it. */
export const heldStore: StoreDef<string, Uint8Array> = store('held', utf8, bytes);

/** The messages of tables that wait, while one record is processed. */
export class HeldMessages {
  readonly #store: Store<string, Uint8Array>;
  /** What came or went in this record; null for what went. */
  readonly #now = new Map<string, Uint8Array | null>();

  constructor(kept: Store<string, Uint8Array>) {
    this.#store = kept;
  }

  /** Keeps a message of a table as its `number`th, from 0. Returns its bytes. */
  add(key: string, number: number, output: AppendOutput): number {
    const encoded = encodeHeld(output);
    this.#now.set(idOf(key, number), encoded);
    return encoded.length;
  }

  /** The first `count` messages of a table in order, which are kept no more. */
  take(key: string, count: number): AppendOutput[] {
    const outputs: AppendOutput[] = [];
    for (let number = 0; number < count; number++) {
      const id = idOf(key, number);
      const encoded = this.#now.has(id) ? this.#now.get(id) : this.#store.get(id);
      if (encoded !== undefined && encoded !== null) outputs.push(decodeHeld(encoded));
      this.#now.set(id, null);
    }
    return outputs;
  }

  commit(): void {
    for (const [id, encoded] of this.#now) {
      if (encoded === null) this.#store.delete(id);
      else this.#store.set(id, encoded);
    }
  }
}

function idOf(key: string, number: number): string {
  return `${key}\0${String(number).padStart(10, '0')}`;
}

const LENGTH_BYTES = 4;

/** A message as bytes: the length of what follows, a JSON object of all but key and value, with the length of the key; then the key, and the value. */
export function encodeHeld({ key, value, headers, ...rest }: AppendOutput): Buffer {
  const named = Object.entries(headers ?? {}).map(([name, header]) => [
    name,
    Buffer.from(header).toString('base64'),
  ]);
  const head = Buffer.from(JSON.stringify({ ...rest, headers: named, keyBytes: key.length }), 'utf8');
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(head.length);
  return Buffer.concat([length, head, key, value]);
}

/** The message that {@link encodeHeld} wrote. */
export function decodeHeld(encoded: Uint8Array): AppendOutput {
  const buffer = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  const headEnd = LENGTH_BYTES + buffer.readUInt32LE(0);
  // What encodeHeld wrote.
  const { headers, keyBytes, ...rest } = JSON.parse(buffer.toString('utf8', LENGTH_BYTES, headEnd)) as Omit<
    AppendOutput,
    'key' | 'value' | 'headers'
  > & {
    readonly headers: readonly (readonly [string, string])[];
    readonly keyBytes: number;
  };
  const valueAt = headEnd + keyBytes;
  const decoded: Headers = Object.fromEntries(
    headers.map(([name, header]) => [name, Buffer.from(header, 'base64')]),
  );
  return {
    ...rest,
    key: buffer.subarray(headEnd, valueAt),
    value: buffer.subarray(valueAt),
    ...(headers.length > 0 && { headers: decoded }),
  };
}

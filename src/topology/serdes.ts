import { Buffer } from 'node:buffer';
import { UmbusError } from '../core/errors.ts';
import type { Serde } from './types.ts';

/**
 * Stands for "no bytes at all", which is not the same as zero bytes: a record without a key, or a tombstone. It is told apart
 * by identity. A serde's `encode` returns it to write null; its `decode` is given it for null. The serdes of this file refuse
 * it, except {@link none} and those wrapped in {@link nullable}.
 */
export const noBytes: Uint8Array = new Uint8Array(0);

/** The bytes as the log stores them: null for {@link noBytes}. */
export function bytesOrNull(bytes: Uint8Array): Uint8Array | null {
  return bytes === noBytes ? null : bytes;
}

function refuse(serde: string, problem: string, cause?: unknown): never {
  throw new UmbusError('UMBUS_TOPOLOGY_DECODE', `The bytes are not ${serde}: ${problem}.`, { cause });
}

function view(bytes: Uint8Array, serde: string): Buffer {
  if (bytes === noBytes) refuse(serde, 'there are none; wrap the serde in nullable() to allow it');
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function sized(bytes: Uint8Array, serde: string, sizeBytes: number): Buffer {
  const buffer = view(bytes, serde);
  if (buffer.length !== sizeBytes) refuse(serde, `there are ${buffer.length} of ${sizeBytes}`);
  return buffer;
}

const strictText = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf(bytes: Uint8Array, serde: string): string {
  const buffer = view(bytes, serde);
  try {
    return strictText.decode(buffer);
  } catch (cause) {
    return refuse(serde, 'they are not valid UTF-8', cause);
  }
}

/** Text as UTF-8. Decoding refuses what is not valid UTF-8 with UMBUS_TOPOLOGY_DECODE. */
export const utf8: Serde<string> = {
  name: 'utf8',
  encode: value => Buffer.from(value, 'utf8'),
  decode: input => textOf(input, 'utf8'),
};

/** Bytes as they are, not copied. */
export const bytes: Serde<Uint8Array> = {
  name: 'bytes',
  encode: value => value,
  decode: input => view(input, 'bytes'),
};

/** Always null: for topics without keys. Decoding ignores what is there. */
export const none: Serde<null> = {
  name: 'none',
  encode: () => noBytes,
  decode: () => null,
};

/** A signed 64-bit integer, big-endian. */
export const int64: Serde<bigint> = {
  name: 'int64',
  encode: value => {
    const buffer = Buffer.allocUnsafe(8);
    buffer.writeBigInt64BE(value);
    return buffer;
  },
  decode: input => sized(input, 'int64', 8).readBigInt64BE(),
};

/** A signed 32-bit integer, big-endian. */
export const int32: Serde<number> = {
  name: 'int32',
  encode: value => {
    const buffer = Buffer.allocUnsafe(4);
    buffer.writeInt32BE(value);
    return buffer;
  },
  decode: input => sized(input, 'int32', 4).readInt32BE(),
};

/** An IEEE 754 double, big-endian. */
export const float64: Serde<number> = {
  name: 'float64',
  encode: value => {
    const buffer = Buffer.allocUnsafe(8);
    buffer.writeDoubleBE(value);
    return buffer;
  },
  decode: input => sized(input, 'float64', 8).readDoubleBE(),
};

/**
 * JSON as UTF-8. `check`, when given, proves the type of what was parsed and throws what it likes when it is another;
 * without it the type is taken on trust.
 */
export function json<T>(check?: (parsed: unknown) => T): Serde<T> {
  return {
    name: 'json',
    encode: value => Buffer.from(JSON.stringify(value), 'utf8'),
    decode: input => {
      const text = textOf(input, 'json');
      let parsed: unknown;
      try {
        parsed = JSON.parse(text);
      } catch {
        // No cause: the engine's message quotes the text, which may be masked data.
        return refuse('json', 'they do not parse');
      }
      // Without a check the caller vouches for the type of its own topic.
      return check === undefined ? (parsed as T) : check(parsed);
    },
  };
}

/** The same serde, with null for a missing key or a tombstone. */
export function nullable<T>(serde: Serde<T>): Serde<T | null> {
  return {
    name: `nullable(${serde.name})`,
    encode: value => (value === null ? noBytes : serde.encode(value)),
    decode: input => (input === noBytes ? null : serde.decode(input)),
  };
}

import { Buffer } from 'node:buffer';
import { createHmac, createSecretKey, hash } from 'node:crypto';
import type { UmsType, UmsValue } from '../ums/types.ts';
import { javaText, javaThird } from './java-text.ts';
import {
  type ColumnMask,
  type MaskedColumn,
  MaskFault,
  type MaskSpec,
  type PlainValue,
} from './mask-spec.ts';
import { murmur3 } from './murmur3.ts';
import { defaultValue } from './typed-value.ts';

/**
 * `md5` and `murmur3` as DBUS has them: the digest of the value's text with the salt behind it. For `binary` columns and for bytes that are no text the bytes are hashed.
 */
export function hashMask(
  column: MaskedColumn,
  { kind, salt, saltColumn }: MaskSpec & { readonly kind: 'md5' | 'murmur3' },
): ColumnMask {
  const hasher: Hasher =
    kind === 'md5'
      ? { bytes: data => hash('md5', data, 'buffer'), hex: data => hash('md5', data, 'hex') }
      : { bytes: data => murmur3(bytesOf(data)), hex: data => murmur3(bytesOf(data)).toString('hex') };
  const result = resultOf(column.type, hasher, hex => hex);
  return {
    needs: saltColumn === null ? [] : [saltColumn],
    mask(value, row) {
      const seasoning = saltColumn === null ? (salt?.secret ?? '') : textOfSalt(row.of(saltColumn));
      const data = dataOf(column.type, value);
      if (typeof data === 'string') return result(data + seasoning);
      return result(Buffer.concat([data, Buffer.from(seasoning, 'utf8')]));
    },
  };
}

/** `hmac-sha256`: the token begins with the name of its key, so that tokens of an older key can be told apart and checked. */
export function hmacMask(
  column: MaskedColumn,
  { key, length }: MaskSpec & { readonly kind: 'hmac-sha256' },
): ColumnMask {
  const secret = createSecretKey(key.secret, 'utf8');
  const hasher: Hasher = {
    bytes: data => createHmac('sha256', secret).update(data).digest(),
    hex: data => createHmac('sha256', secret).update(data).digest('hex'),
  };
  const result = resultOf(column.type, hasher, hex => `${key.name}:${hex.slice(0, length)}`);
  return { needs: [], mask: value => result(dataOf(column.type, value)) };
}

/** A hash function over bytes, or over a text as UTF-8. */
interface Hasher {
  readonly bytes: (data: string | Buffer) => Buffer;
  readonly hex: (data: string | Buffer) => string;
}

/** Whether a token of a `string` column, made with a key, is that of a value. The key's name is in the token, so the right one can be looked up first. */
export function isTokenOf(
  token: string,
  text: string,
  key: { readonly name: string; readonly secret: string },
): boolean {
  const hex = token.slice(key.name.length + 1);
  const digest = createHmac('sha256', Buffer.from(key.secret, 'utf8')).update(text, 'utf8').digest('hex');
  return token.startsWith(`${key.name}:`) && hex.length > 0 && digest.startsWith(hex);
}

/** What of a value is hashed: its text, or its bytes where it is none. */
function dataOf(type: UmsType, value: PlainValue): string | Buffer {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return javaText(type, value);
}

function bytesOf(data: string | Buffer): Buffer {
  return typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
}

/** A column that the row image lacks has no text to salt with, and any other would give another token. */
function textOfSalt(value: UmsValue | undefined): string {
  if (value === null) return '';
  if (value === undefined || typeof value === 'object')
    throw new MaskFault('needs its salt column, which the row image lacks');
  return String(value);
}

/** A digest as a value of a type, after DBUS: whole numbers are its first bytes, little-endian. */
function resultOf(
  type: UmsType,
  { bytes, hex }: Hasher,
  textOf: (hex: string) => string,
): (data: string | Buffer) => UmsValue {
  switch (type) {
    case 'long':
      return data => String(bytes(data).readBigInt64LE(0));
    case 'int':
      return data => bytes(data).readInt32LE(0);
    case 'decimal':
      return data => javaThird(bytes(data).readBigInt64LE(0));
    case 'double':
      return data => Number(bytes(data).readBigInt64LE(0)) / 2;
    case 'float':
      return data => Math.fround(bytes(data).readInt32LE(0)) / 2;
    case 'date':
    case 'datetime':
    case 'boolean':
      return () => defaultValue(type);
    case 'binary':
      return data => bytes(data).toString('base64');
    case 'jsonobject':
      return data => JSON.stringify(textOf(hex(data)));
    default:
      return data => textOf(hex(data));
  }
}

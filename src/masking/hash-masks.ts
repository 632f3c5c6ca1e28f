import { Buffer } from 'node:buffer';
import { createHash, createHmac } from 'node:crypto';
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
  const digestOf =
    kind === 'md5'
      ? (bytes: Buffer) => createHash('md5').update(bytes).digest()
      : (bytes: Buffer) => murmur3(bytes);
  return {
    needs: saltColumn === null ? [] : [saltColumn],
    mask(value, row) {
      const seasoning = saltColumn === null ? (salt?.secret ?? '') : textOfSalt(row.of(saltColumn));
      const bytes = Buffer.concat([bytesOf(column.type, value), Buffer.from(seasoning, 'utf8')]);
      return ofDigest(column.type, digestOf(bytes), digest => digest.toString('hex'));
    },
  };
}

/** `hmac-sha256`: the token begins with the name of its key, so that tokens of an older key can be told apart and checked. */
export function hmacMask(
  column: MaskedColumn,
  { key, length }: MaskSpec & { readonly kind: 'hmac-sha256' },
): ColumnMask {
  const secret = Buffer.from(key.secret, 'utf8');
  return {
    needs: [],
    mask(value) {
      const digest = createHmac('sha256', secret).update(bytesOf(column.type, value)).digest();
      return ofDigest(column.type, digest, whole => `${key.name}:${whole.toString('hex').slice(0, length)}`);
    },
  };
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

/** The bytes that stand for a value. */
function bytesOf(type: UmsType, value: PlainValue): Buffer {
  if (value instanceof Uint8Array) return Buffer.from(value);
  return Buffer.from(javaText(type, value), 'utf8');
}

/** A column that the row image lacks has no text to salt with, and any other would give another token. */
function textOfSalt(value: UmsValue | undefined): string {
  if (value === null) return '';
  if (value === undefined || typeof value === 'object')
    throw new MaskFault('needs its salt column, which the row image lacks');
  return String(value);
}

/** A digest as a value of a type, after DBUS: whole numbers are its first bytes, little-endian. */
function ofDigest(type: UmsType, digest: Buffer, textOf: (digest: Buffer) => string): UmsValue {
  switch (type) {
    case 'long':
      return String(digest.readBigInt64LE(0));
    case 'int':
      return digest.readInt32LE(0);
    case 'decimal':
      return javaThird(digest.readBigInt64LE(0));
    case 'double':
      return Number(digest.readBigInt64LE(0)) / 2;
    case 'float':
      return Math.fround(digest.readInt32LE(0)) / 2;
    case 'date':
    case 'datetime':
    case 'boolean':
      return defaultValue(type);
    case 'binary':
      return digest.toString('base64');
    case 'jsonobject':
      return JSON.stringify(textOf(digest));
    default:
      return textOf(digest);
  }
}

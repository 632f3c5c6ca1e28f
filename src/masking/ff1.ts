/**
 * FF1 of NIST SP 800-38G, format-preserving encryption, for radix 10: a text of decimal digits becomes another of the same length, and with the key the other way round.
 */
import { Buffer } from 'node:buffer';
import { createCipheriv } from 'node:crypto';

const ROUNDS = 10;
const BLOCK = 16;
const NO_IV = Buffer.alloc(BLOCK);

/** The shortest text that may be encrypted: SP 800-38G revision 1 wants a million possible values. */
export const FF1_DIGITS_MIN = 6;
/** The longest. */
export const FF1_DIGITS_MAX = 1_000;

/** Encrypts and decrypts digits with an AES key of 16, 24 or 32 bytes and a tweak. */
export interface Ff1 {
  readonly encrypt: (digits: string) => string;
  readonly decrypt: (digits: string) => string;
}

/** FF1 with a key. `digits` of both functions: at least 2 decimal digits and nothing else; how few are safe is the caller's matter. */
export function ff1(key: Uint8Array, tweak: Uint8Array = Buffer.alloc(0)): Ff1 {
  const algorithm = `aes-${key.length * 8}-`;
  const prf = (bytes: Buffer): Buffer => {
    const cipher = createCipheriv(`${algorithm}cbc`, key, NO_IV);
    cipher.setAutoPadding(false);
    return cipher.update(bytes).subarray(-BLOCK);
  };
  const block = (bytes: Buffer): Buffer => {
    const cipher = createCipheriv(`${algorithm}ecb`, key, null);
    cipher.setAutoPadding(false);
    return cipher.update(bytes);
  };
  /** The number that round `i` adds, made of one half. */
  const roundOf = (n: number, u: number) => {
    const v = n - u;
    const bytes = Math.ceil(Math.ceil(v * Math.log2(10)) / 8);
    const wide = 4 * Math.ceil(bytes / 4) + 4;
    const head = Buffer.from([1, 2, 1, 0, 0, 10, ROUNDS, u & 255, 0, 0, 0, 0, 0, 0, 0, 0]);
    head.writeUInt32BE(n, 8);
    head.writeUInt32BE(tweak.length, 12);
    const padding = (((-tweak.length - bytes - 1) % BLOCK) + BLOCK) % BLOCK;
    const body = Buffer.alloc(tweak.length + padding + 1 + bytes);
    body.set(tweak);
    return (i: number, half: bigint): bigint => {
      body[tweak.length + padding] = i;
      body.write(half.toString(16).padStart(2 * bytes, '0'), body.length - bytes, 'hex');
      const r = prf(Buffer.concat([head, body]));
      const blocks = [r];
      for (let j = 1; j * BLOCK < wide; j++) {
        const counter = Buffer.from(r);
        counter.writeUInt32BE((counter.readUInt32BE(12) ^ j) >>> 0, 12);
        blocks.push(block(counter));
      }
      return BigInt(`0x${Buffer.concat(blocks).subarray(0, wide).toString('hex')}`);
    };
  };
  return {
    encrypt(digits) {
      const n = digits.length;
      const u = n >> 1;
      const add = roundOf(n, u);
      let a = BigInt(digits.slice(0, u));
      let b = BigInt(digits.slice(u));
      for (let i = 0; i < ROUNDS; i++) {
        const c = (a + add(i, b)) % 10n ** BigInt(i % 2 === 0 ? u : n - u);
        a = b;
        b = c;
      }
      return a.toString().padStart(u, '0') + b.toString().padStart(n - u, '0');
    },
    decrypt(digits) {
      const n = digits.length;
      const u = n >> 1;
      const add = roundOf(n, u);
      let a = BigInt(digits.slice(0, u));
      let b = BigInt(digits.slice(u));
      for (let i = ROUNDS - 1; i >= 0; i--) {
        const size = 10n ** BigInt(i % 2 === 0 ? u : n - u);
        const c = (((b - add(i, a)) % size) + size) % size;
        b = a;
        a = c;
      }
      return a.toString().padStart(u, '0') + b.toString().padStart(n - u, '0');
    },
  };
}

/**
 * FF1 of NIST SP 800-38G, format-preserving encryption, for radix 10: a text of decimal digits becomes another of the same length, and with the key the other way round.
 */
import { Buffer } from 'node:buffer';
import { createCipheriv } from 'node:crypto';

const ROUNDS = 10;
const BLOCK = 16;
/** What depends on the length of a text alone is kept for so many of them. */
const LENGTHS_KEPT = 64;

/** The shortest text that may be encrypted: SP 800-38G revision 1 wants a million possible values. */
export const FF1_DIGITS_MIN = 6;
/** The longest. */
export const FF1_DIGITS_MAX = 1_000;

type AddedNumber = (round: number, half: bigint) => bigint;

/** Encrypts and decrypts digits with an AES key of 16, 24 or 32 bytes and a tweak. */
export interface Ff1 {
  readonly encrypt: (digits: string) => string;
  readonly decrypt: (digits: string) => string;
}

/** FF1 with a key. `digits` of both functions: at least 2 decimal digits and nothing else; how few are safe is the caller's matter. */
export function ff1(key: Uint8Array, tweak: Uint8Array = Buffer.alloc(0)): Ff1 {
  // Without padding each block stands for itself, so one object serves all of them.
  const cipher = createCipheriv(`aes-${key.length * 8}-ecb`, key, null);
  cipher.setAutoPadding(false);
  const block = (bytes: Buffer): Buffer => cipher.update(bytes);
  const kept = new Map<number, AddedNumber>();
  const addedOf = (n: number): AddedNumber => {
    const known = kept.get(n);
    if (known !== undefined) return known;
    const made = addedNumber(n, tweak, block);
    if (kept.size >= LENGTHS_KEPT) kept.clear();
    kept.set(n, made);
    return made;
  };
  return {
    encrypt(digits) {
      const n = digits.length;
      const u = n >> 1;
      const add = addedOf(n);
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
      const add = addedOf(n);
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

/** The number that round `i` adds to one half of `n` digits, made of the other half. Steps 6.i to 6.iii of the algorithm. */
function addedNumber(n: number, tweak: Uint8Array, block: (bytes: Buffer) => Buffer): AddedNumber {
  const u = n >> 1;
  const bytes = Math.ceil(Math.ceil((n - u) * Math.log2(10)) / 8);
  const wide = 4 * Math.ceil(bytes / 4) + 4;
  const head = Buffer.from([1, 2, 1, 0, 0, 10, ROUNDS, u & 255, 0, 0, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(n, 8);
  head.writeUInt32BE(tweak.length, 12);
  const first = block(head);
  const padding = (((-tweak.length - bytes - 1) % BLOCK) + BLOCK) % BLOCK;
  const body = Buffer.alloc(tweak.length + padding + 1 + bytes);
  body.set(tweak);
  const mixed = Buffer.alloc(BLOCK);
  return (i, half) => {
    body[tweak.length + padding] = i;
    body.write(half.toString(16).padStart(2 * bytes, '0'), body.length - bytes, 'hex');
    // The last block of CBC, whose first one is the same for all values of a length.
    let r = first;
    for (let o = 0; o < body.length; o += BLOCK) {
      for (let j = 0; j < BLOCK; j++) mixed[j] = (r[j] ?? 0) ^ (body[o + j] ?? 0);
      r = block(mixed);
    }
    const blocks = [r];
    for (let j = 1; j * BLOCK < wide; j++) {
      const counter = Buffer.from(r);
      counter.writeUInt32BE((counter.readUInt32BE(12) ^ j) >>> 0, 12);
      blocks.push(block(counter));
    }
    return BigInt(`0x${Buffer.concat(blocks).toString('hex', 0, wide)}`);
  };
}

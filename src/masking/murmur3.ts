import { Buffer } from 'node:buffer';

const C1 = 0x87c37b91114253d5n;
const C2 = 0x4cf5ad432745937fn;
const MASK = 0xffff_ffff_ffff_ffffn;

/**
 * The 128 bits of MurmurHash3 x64 with seed 0 in the order of Guava's `Hashing.murmur3_128(0)`: both halves little-endian. Source: Austin Appleby's MurmurHash3, which is in
 * the public domain.
 */
export function murmur3(bytes: Uint8Array): Buffer {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = bytes.length - (bytes.length % 16);
  let h1 = 0n;
  let h2 = 0n;
  for (let o = 0; o < whole; o += 16) {
    h1 ^= mix(view.getBigUint64(o, true), C1, 31n, C2);
    h1 = (((rotate(h1, 27n) + h2) & MASK) * 5n + 0x52dce729n) & MASK;
    h2 ^= mix(view.getBigUint64(o + 8, true), C2, 33n, C1);
    h2 = (((rotate(h2, 31n) + h1) & MASK) * 5n + 0x38495ab5n) & MASK;
  }
  const tail = Buffer.alloc(16);
  tail.set(bytes.subarray(whole));
  h2 ^= mix(tail.readBigUInt64LE(8), C2, 33n, C1);
  h1 ^= mix(tail.readBigUInt64LE(0), C1, 31n, C2);
  const length = BigInt(bytes.length);
  h1 ^= length;
  h2 ^= length;
  h1 = (h1 + h2) & MASK;
  h2 = (h2 + h1) & MASK;
  h1 = finish(h1);
  h2 = finish(h2);
  h1 = (h1 + h2) & MASK;
  h2 = (h2 + h1) & MASK;
  const digest = Buffer.alloc(16);
  digest.writeBigUInt64LE(h1, 0);
  digest.writeBigUInt64LE(h2, 8);
  return digest;
}

/** 0 for 0, so that a tail that is filled up with zeros is as one that is not there. */
function mix(k: bigint, first: bigint, by: bigint, second: bigint): bigint {
  return (rotate((k * first) & MASK, by) * second) & MASK;
}

function rotate(value: bigint, by: bigint): bigint {
  return ((value << by) | (value >> (64n - by))) & MASK;
}

function finish(value: bigint): bigint {
  let k = value;
  k = ((k ^ (k >> 33n)) * 0xff51afd7ed558ccdn) & MASK;
  k = ((k ^ (k >> 33n)) * 0xc4ceb9fe1a85ec53n) & MASK;
  return k ^ (k >> 33n);
}

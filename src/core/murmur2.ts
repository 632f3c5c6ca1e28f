const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/**
 * MurmurHash2, 32 bits, as a signed integer, with the seed that Kafka's clients use for record keys: equal keys go to equal
 * partitions whichever client writes them. Source of the algorithm: the public domain MurmurHash2 by Austin Appleby; of the seed: Apache Kafka's
 * `org.apache.kafka.common.utils.Utils.murmur2`.
 */
export function murmur2(bytes: Uint8Array): number {
  return murmur2Of(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), bytes.length);
}

/** {@link murmur2} of the first `length` bytes of a view; makes no object, for callers that hash row by row. */
export function murmur2Of(view: DataView, length: number): number {
  let hash = SEED ^ length;
  const whole = length & ~3;
  for (let i = 0; i < whole; i += 4) {
    let k = Math.imul(view.getInt32(i, true), M);
    k ^= k >>> 24;
    hash = Math.imul(hash, M) ^ Math.imul(k, M);
  }
  const left = length - whole;
  if (left > 0) {
    if (left === 3) hash ^= view.getUint8(whole + 2) << 16;
    if (left >= 2) hash ^= view.getUint8(whole + 1) << 8;
    hash = Math.imul(hash ^ view.getUint8(whole), M);
  }
  hash = Math.imul(hash ^ (hash >>> 13), M);
  return (hash ^ (hash >>> 15)) | 0;
}

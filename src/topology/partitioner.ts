import { murmur2 } from '../core/murmur2.ts';

/**
 * The partition of a key: murmur2 of its bytes, sign bit cleared, modulo the partition count, as the default partitioner of Kafka's Java
 * client, so that other producers agree.
 */
export function partitionOf(key: Uint8Array, partitions: number): number {
  return partitions === 1 ? 0 : (murmur2(key) & 0x7fffffff) % partitions;
}

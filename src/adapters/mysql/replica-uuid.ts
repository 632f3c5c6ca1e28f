import { createHash } from 'node:crypto';

/** UUID that we register with. A server ends the older of two dumps with one UUID, so ours is the same after a reconnect. */
export function replicaUuid(serverId: number): string {
  const hash = createHash('sha256').update(`umbus replica ${serverId}`).digest('hex');
  return [
    hash.slice(0, 8),
    hash.slice(8, 12),
    hash.slice(12, 16),
    hash.slice(16, 20),
    hash.slice(20, 32),
  ].join('-');
}

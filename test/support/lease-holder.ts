/**
 * A process that takes a lease of an embedded coordination and keeps it: `node lease-holder.ts DIR NAME TTL_MS`. Tells `held TOKEN` and `lost CODE` on stdout, and
 * shows itself as a member.
 */
import { writeSync } from 'node:fs';
import { openEmbeddedCoordination } from '../../src/adapters/embedded-coordination/index.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { isUmbusError } from '../../src/core/errors.ts';

const [dir = '', name = '', ttl = ''] = process.argv.slice(2);
const coordination = await openEmbeddedCoordination({ dir, clock: systemClock });
await coordination.announce({ id: `holder/${process.pid}`, info: {} });
const { signal } = new AbortController();
const lease = await coordination.lease(name, { holder: `${process.pid}`, ttlMs: Number(ttl), signal });
lease.lost.addEventListener('abort', () => {
  const { reason } = lease.lost;
  writeSync(1, `lost ${isUmbusError(reason) ? reason.code : String(reason)}\n`);
});
writeSync(1, `held ${lease.token}\n`);

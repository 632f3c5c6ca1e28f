/**
 * A process that owns an embedded log and commits to it until it is killed: `node embedded-writer.ts DIR [commits]`. Commit number i writes
 * 1 + i % 7 records to topic `out`, each with i, its index and their number, and the offset i + 1 of topic `in`. Several are in flight at
 * once. Each acknowledged one is told on stdout, as its number on a line.
 */
import { Buffer } from 'node:buffer';
import { writeSync } from 'node:fs';
import { openEmbeddedLog } from '../../src/adapters/embedded/index.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';

const [dir = '', limit = 'Infinity'] = process.argv.slice(2);
const forever = new AbortController().signal;
const IN_FLIGHT = 4;

await using log = await openEmbeddedLog({ dir, mode: 'owner', maxBytes: 1_073_741_824, clock: systemClock });
const spec = { partitions: 1, cleanup: 'delete', retentionMs: null, retentionBytes: null } as const;
await log.ensureTopics([
  { name: 'in', ...spec },
  { name: 'out', ...spec },
]);
const listener = { assigned() {}, revoking() {}, lost() {} };
await using member = await log.join({ group: 'g', topics: ['in'], member: 'writer', listener });
await member.poll({ maxBytes: 1, maxWaitMs: 0 }, forever);
const [committed] = await log.committed('g', [{ topic: 'in', partition: 0 }]);
const first = Number(committed?.offset ?? 0n);
writeSync(1, `start ${first}\n`);
const inFlight: Promise<void>[] = [];
for (let number = first; number < first + Number(limit); number++) {
  inFlight.push(commit(number));
  if (inFlight.length === IN_FLIGHT) await inFlight.shift();
}
await Promise.all(inFlight);

async function commit(number: number): Promise<void> {
  const count = 1 + (number % 7);
  const outputs = Array.from({ length: count }, (_, index) => ({
    topic: 'out',
    partition: 0,
    key: null,
    value: Buffer.from(`${number} ${index} ${count} ${'x'.repeat((number * 7_919) % 20_000)}`),
    timestampMs: systemClock.now(),
    headers: {},
  }));
  const offsets = [{ topic: 'in', partition: 0, offset: BigInt(number + 1), metadata: String(number) }];
  await member.commit({ outputs, offsets });
  writeSync(1, `${number}\n`);
}

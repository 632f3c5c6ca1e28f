/**
 * Fills an embedded log until it fails, frees space, and fills it again: `node embedded-filler.ts DIR`. Prints the code of each failure and the number
 * of acknowledged appends until then. Each append has 3 records: its number and their index, padded to 200 KB.
 */
import { Buffer } from 'node:buffer';
import { writeSync } from 'node:fs';
import { openEmbeddedLog } from '../../src/adapters/embedded/index.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { isUmbusError } from '../../src/core/errors.ts';

const [dir = ''] = process.argv.slice(2);
const spec = {
  name: 'a',
  partitions: 1,
  cleanup: 'delete',
  retentionMs: null,
  retentionBytes: null,
} as const;
await using log = await openEmbeddedLog({
  dir,
  mode: 'owner',
  maxBytes: 1_073_741_824,
  clock: systemClock,
  maintenanceIntervalMs: null,
});
await log.ensureTopics([spec]);
let acknowledged = 0;

async function fill(): Promise<void> {
  await using writer = await log.openWriter('w');
  for (;;) {
    const values = [0, 1, 2].map(index => Buffer.alloc(200_000, `${acknowledged} ${index} `));
    try {
      await writer.append(
        values.map(value => ({ topic: 'a', partition: 0, key: null, value, timestampMs: 1, headers: {} })),
      );
      acknowledged += 1;
    } catch (error) {
      writeSync(1, `${isUmbusError(error) ? error.code : error} ${acknowledged}\n`);
      return;
    }
  }
}

await fill();
await fill();
await log.ensureTopics([{ ...spec, retentionBytes: 2_000_000 }]);
await log.maintain();
await fill();

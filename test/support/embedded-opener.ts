/** A process that opens an embedded log for reading and closes it, again and again: `node embedded-opener.ts DIR TIMES`. It fails when an opening does. */
import { openEmbeddedLog } from '../../src/adapters/embedded/index.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';

const [dir = '', times = '1'] = process.argv.slice(2);
for (let time = 0; time < Number(times); time++) {
  await using log = await openEmbeddedLog({
    dir,
    mode: 'reader',
    maxBytes: 1_073_741_824,
    clock: systemClock,
  });
  await log.topics();
}

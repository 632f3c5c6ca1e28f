/** A process that writes 1 to COUNT to a cell, and adds 1 to the cell `count` each time: `node cell-writer.ts DIR PATH COUNT`. Tells `done` on stdout. */
import { Buffer } from 'node:buffer';
import { writeSync } from 'node:fs';
import { openEmbeddedCoordination } from '../../src/adapters/embedded-coordination/index.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { isUmbusError } from '../../src/core/errors.ts';

const [dir = '', path = '', count = ''] = process.argv.slice(2);
await using coordination = await openEmbeddedCoordination({ dir, clock: systemClock });

async function add(): Promise<void> {
  for (;;) {
    const cell = await coordination.get('count');
    const value = Buffer.from(String(Number(Buffer.from(cell?.value ?? []).toString()) + 1));
    try {
      await coordination.put('count', value, { ifVersion: cell?.version ?? 0n });
      return;
    } catch (error) {
      if (!isUmbusError(error, 'UMBUS_COORDINATION_CONFLICT')) throw error;
    }
  }
}

for (let number = 1; number <= Number(count); number += 1) {
  await coordination.put(path, Buffer.from(String(number)));
  await add();
}
writeSync(1, 'done\n');

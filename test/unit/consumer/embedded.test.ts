import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { openEmbeddedLog } from '../../../src/adapters/embedded/index.ts';
import { systemClock } from '../../../src/adapters/system-clock.ts';
import { createTables, openReader, subscribe } from '../../../src/consumer/index.ts';
import { isUmbusError } from '../../../src/core/errors.ts';
import { bytesOf, runModel } from './model-line.ts';

const topic = 'shop.store.result';

test('reads the embedded log of a line from its directory', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'umbus-reader-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  await assert.rejects(openReader(dir), error => isUmbusError(error, 'UMBUS_LOG_DIRECTORY'));

  const { messages } = runModel(
    [{ kind: 'insert', id: 1, text: 'a' }, { kind: 'cut' }, { kind: 'update', pick: 0, text: 'b' }],
    { keyed: true, beforeImage: false },
  );
  {
    await using owner = await openEmbeddedLog({
      dir,
      mode: 'owner',
      maxBytes: 64 * 1024 ** 2,
      clock: systemClock,
    });
    await owner.ensureTopics([
      { name: topic, partitions: 2, cleanup: 'delete', retentionMs: null, retentionBytes: null },
    ]);
    await using writer = await owner.openWriter('line');
    const record = { topic, partition: 1, key: Buffer.from('key'), timestampMs: 0, headers: {} };
    await writer.append(messages.map(message => ({ ...record, value: bytesOf(message) })));
  }

  await using log = await openReader(dir);
  const tables = createTables();
  for await (const { message } of subscribe({ log, topics: [topic], follow: false })) tables.apply(message);
  assert.deepEqual([...(tables.get('store.orders')?.rows() ?? [])], [{ id: 1, text: 'b' }]);
});

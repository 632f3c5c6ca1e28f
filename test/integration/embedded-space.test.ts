import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openEnvironment } from '../../src/adapters/embedded/environment.ts';
import { type EmbeddedLog, openEmbeddedLog } from '../../src/adapters/embedded/index.ts';
import { dataKey } from '../../src/adapters/embedded/keys.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { isUmbusError } from '../../src/core/errors.ts';

const MB = 1_048_576;
const at = { topic: 'a', partition: 0 };
const forever = new AbortController().signal;
const bytes = (size: number, seed: number) => Buffer.alloc(size, `record ${seed} `);
const record = (value: Buffer, partition = 0) => ({
  topic: 'a',
  partition,
  key: null,
  value,
  timestampMs: 1,
  headers: {},
});

async function withLog(
  maxBytes: number,
  run: (log: EmbeddedLog, dir: string, reopen: () => Promise<EmbeddedLog>) => Promise<void>,
): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'umbus-space-'));
  const open = () =>
    openEmbeddedLog({
      dir,
      mode: 'owner',
      maxBytes,
      clock: systemClock,
      maintenanceIntervalMs: null,
      cacheBytes: 4 * MB,
    });
  let log = await open();
  try {
    await run(log, dir, async () => {
      await log[Symbol.asyncDispose]();
      log = await open();
      return log;
    });
  } finally {
    await log[Symbol.asyncDispose]();
    await rm(dir, { recursive: true, force: true });
  }
}

const spec = {
  name: 'a',
  partitions: 1,
  cleanup: 'delete',
  retentionMs: null,
  retentionBytes: null,
} as const;

test('a full log refuses whole commits, keeps what it has, and takes more once there is space', async () => {
  await withLog(24 * MB, async log => {
    await log.ensureTopics([spec]);
    let stored = 0n;
    const fill = async () => {
      await using writer = await log.openWriter('w');
      for (;;) {
        const group = [0, 1, 2].map(each => record(bytes(300_000, Number(stored) + each)));
        try {
          await writer.append(group);
          stored += 3n;
        } catch (error) {
          assert.ok(isUmbusError(error, 'UMBUS_LOG_FULL'), String(error));
          assert.equal(error.retryable, true);
          return;
        }
      }
    };
    await fill();
    const first = stored;
    assert.ok(first >= 60n && first <= 84n, `${first} records of 300 KB in 24 MB`);
    assert.equal(await log.offset(at, 'latest'), first);
    await using small = await log.openWriter('small');
    await fill();
    assert.equal(stored, first, 'it stays full');
    await log.ensureTopics([{ ...spec, retentionBytes: 6 * MB }]);
    await log.maintain();
    await fill();
    assert.ok(stored >= first + 36n, `${stored - first} more after 18 MB were freed`);
    await small.append([record(bytes(10, 0))]).catch(() => {});
    const offset = await log.offset(at, 'earliest');
    const batch = await log.read({ ...at, offset }, { maxBytes: 1, maxWaitMs: 0 }, forever);
    assert.ok(bytes(300_000, Number(offset)).equals(batch.records[0]?.value ?? Buffer.alloc(0)));
  });
});

test('a commit that meets a full log fails those after it of the same owner, not of others', async () => {
  await withLog(8 * MB, async log => {
    await log.ensureTopics([spec]);
    await using large = await log.openWriter('large');
    await using small = await log.openWriter('small');
    const outcomes = await Promise.allSettled([
      small.append([record(bytes(10, 1))]),
      large.append([record(bytes(9 * MB, 2))]),
      large.append([record(bytes(10, 3))]),
      small.append([record(bytes(10, 4))]),
    ]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
    );
    const tail = await log.tail(at, 9);
    assert.deepEqual(
      tail.map(({ value }) => [1, 4].some(seed => bytes(10, seed).equals(value ?? Buffer.alloc(0)))),
      [true, true],
    );
  });
});

test('a write that the system refuses in the middle leaves nothing half-written, and writing goes on after space is made', {
  timeout: 60_000,
}, async () => {
  await withLog(MB, async (log, dir, reopen) => {
    await log[Symbol.asyncDispose]();
    const filler = join(import.meta.dirname, '../support/embedded-filler.ts');
    // The limit on file size makes the store's own write fail, as a disk does that fills up between the check and the write.
    const command = `ulimit -f 20000; exec "${process.execPath}" "${filler}" "${dir}"`;
    const { stdout, status, stderr } = spawnSync('sh', ['-c', command], {
      encoding: 'utf8',
      timeout: 50_000,
    });
    assert.equal(status, 0, stderr);
    const outcomes = stdout
      .trim()
      .split('\n')
      .map(line => line.split(' '));
    assert.equal(outcomes.length, 3, stdout);
    for (const [code] of outcomes) assert.ok(code === 'UMBUS_LOG_IO' || code === 'UMBUS_LOG_FULL', stdout);
    const [first = 0, second = 0, third = 0] = outcomes.map(([, count]) => Number(count));
    assert.ok(first > 5 && second === first && third > first + 5, stdout);
    const again = await reopen();
    assert.equal(await again.offset(at, 'latest'), BigInt(third * 3));
    const earliest = await again.offset(at, 'earliest');
    assert.ok(earliest > 0n);
    for (let offset = earliest; offset < BigInt(third * 3); offset++) {
      const batch = await again.read({ ...at, offset }, { maxBytes: 1, maxWaitMs: 0 }, forever);
      const expected = Buffer.alloc(200_000, `${offset / 3n} ${offset % 3n} `);
      assert.ok(expected.equals(batch.records[0]?.value ?? Buffer.alloc(0)), `offset ${offset}`);
    }
  });
});

test('commits that are in flight together share a transaction', async () => {
  await withLog(64 * MB, async (log, dir) => {
    await log.ensureTopics([{ ...spec, partitions: 8 }]);
    const environment = openEnvironment(dir, { maxBytes: 64 * MB, readOnly: false });
    const transactions = () => (environment.log.getStats() as { lastTxnId: number }).lastTxnId;
    const writers = await Promise.all(Array.from({ length: 8 }, (_, index) => log.openWriter(`w${index}`)));
    const before = transactions();
    await Promise.all(
      Array.from({ length: 80 }, (_, index) =>
        writers[index % 8]?.append([record(bytes(100, index), index % 8)]),
      ),
    );
    assert.ok(transactions() - before <= 3, `${transactions() - before} transactions for 80 commits`);
    await environment.root.close();
  });
});

test('retention keeps the file small and memory flat under steady writing and reading', {
  timeout: 120_000,
}, async t => {
  await withLog(512 * MB, async (log, dir) => {
    await log.ensureTopics([{ ...spec, partitions: 4, retentionBytes: 4 * MB }]);
    await using writer = await log.openWriter('w');
    const positions = [0n, 0n, 0n, 0n];
    let before = 0;
    for (let round = 0; round < 300; round++) {
      const size = 1_000 + ((round * 7_919) % 400_000);
      await writer.append([0, 1, 2, 3].map(partition => record(bytes(size, round), partition)));
      for (const [partition, offset] of positions.entries()) {
        const from = { topic: 'a', partition, offset };
        positions[partition] = (await log.read(from, { maxBytes: MB, maxWaitMs: 0 }, forever)).nextOffset;
      }
      if (round % 10 === 0) await log.maintain();
      if (round === 150) before = anonymousMb();
    }
    await log.maintain();
    assert.deepEqual(positions, [300n, 300n, 300n, 300n]);
    const fileMb = statSync(join(dir, 'data.mdb')).size / MB;
    const growth = anonymousMb() - before;
    t.diagnostic(
      `240 MB written, file ${fileMb.toFixed(0)} MB, anonymous memory grew by ${growth.toFixed(0)} MB`,
    );
    assert.ok(fileMb < 64, `${fileMb} MB for 16 MB of records`);
    assert.ok(growth < 80, `${growth} MB`);
  });
});

test('a damaged batch is reported with its place, and others stay readable', async () => {
  await withLog(64 * MB, async (log, dir, reopen) => {
    await log.ensureTopics([spec]);
    for (let index = 0; index < 3; index++) {
      await using writer = await log.openWriter('w');
      await writer.append([record(bytes(5_000, index))]);
    }
    await log[Symbol.asyncDispose]();
    const environment = openEnvironment(dir, { maxBytes: 64 * MB, readOnly: false });
    const key = dataKey({ topicId: 1, partition: 0 }, 1n, 0);
    const stored = Buffer.from(environment.log.get(key) ?? []);
    assert.ok(stored.length > 5_000);
    stored[2_000] = (stored[2_000] ?? 0) ^ 1;
    environment.log.putSync(key, stored);
    await environment.root.close();
    const again = await reopen();
    await assert.rejects(
      again.read({ ...at, offset: 1n }, { maxBytes: 1, maxWaitMs: 0 }, forever),
      (error: unknown) => {
        assert.ok(isUmbusError(error, 'UMBUS_LOG_CORRUPT'));
        assert.deepEqual(error.details, { topic: 'a', partition: 0, offset: 1n });
        return true;
      },
    );
    for (const offset of [0n, 2n]) {
      const batch = await again.read({ ...at, offset }, { maxBytes: 1, maxWaitMs: 0 }, forever);
      assert.ok(bytes(5_000, Number(offset)).equals(batch.records[0]?.value ?? Buffer.alloc(0)));
    }
  });
});

/** Memory that is neither file nor map, in MB (proc(5), RssAnon). */
function anonymousMb(): number {
  const line = /RssAnon:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(line?.[1] ?? 0) / 1_024;
}

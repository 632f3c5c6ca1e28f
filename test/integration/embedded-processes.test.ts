import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openEnvironment } from '../../src/adapters/embedded/environment.ts';
import { openEmbeddedLog } from '../../src/adapters/embedded/index.ts';
import { describeProcess } from '../../src/adapters/embedded/process-identity.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { isUmbusError } from '../../src/core/errors.ts';
import type { OutgoingRecord } from '../../src/ports/log.ts';
import { until } from '../support/until.ts';

const maxBytes = 1_073_741_824;
const writer = join(import.meta.dirname, '../support/embedded-writer.ts');
const locked = (error: unknown) => isUmbusError(error, 'UMBUS_LOG_LOCKED');
const spec = { partitions: 1, cleanup: 'delete', retentionMs: null, retentionBytes: null } as const;

const record = (value: string): OutgoingRecord => ({
  topic: 'out',
  partition: 0,
  key: null,
  value: Buffer.from(value),
  timestampMs: 1,
  headers: {},
});

async function inDirectory(run: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'umbus-processes-'));
  try {
    await run(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** A writer process that has acknowledged something. It is killed at the end, at the latest. */
async function withWriter(dir: string, run: (child: ChildProcess) => Promise<void>): Promise<void> {
  const child = spawn(process.execPath, [writer, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let output = '';
  child.stdout.on('data', chunk => {
    output = (output + chunk).slice(-1_000);
  });
  try {
    await until('a first acknowledgement', () => /\n\d+\n/.test(output));
    await run(child);
  } finally {
    child.kill('SIGKILL');
    await exited;
  }
}

const open = (dir: string, mode: 'owner' | 'reader') =>
  openEmbeddedLog({ dir, mode, maxBytes, clock: systemClock });

test('a second process reads live, in order, while the first one writes', { timeout: 60_000 }, async t => {
  await inDirectory(dir =>
    withWriter(dir, async () => {
      await using log = await open(dir, 'reader');
      let number = 0;
      let index = 0;
      const delays: number[] = [];
      for (let offset = 0n; delays.length < 1_000; ) {
        const from = { topic: 'out', partition: 0, offset };
        const batch = await log.read(from, { maxBytes: 65_536, maxWaitMs: 10_000 }, t.signal);
        assert.ok(batch.records.length > 0, 'the writer goes on');
        const now = systemClock.now();
        for (const { value, timestampMs, offset: at } of batch.records) {
          assert.equal(at, offset);
          offset += 1n;
          const [commit, place, count] = Buffer.from(value ?? [])
            .toString()
            .split(' ', 3)
            .map(Number);
          assert.deepEqual([commit, place], [number, index]);
          index = (index + 1) % (count ?? 1);
          if (index === 0) number += 1;
          if (batch.nextOffset >= batch.endOffset) delays.push(now - timestampMs);
        }
      }
      delays.sort((one, other) => one - other);
      const median = delays[delays.length >> 1] ?? Number.NaN;
      t.diagnostic(`from the writer's call to the other process: median ${median.toFixed(1)} ms`);
      assert.ok(median < 100, `median ${median} ms`);
    }),
  );
});

test('a reader sees topics, groups and offsets of the owner, and cannot write', {
  timeout: 60_000,
}, async () => {
  await inDirectory(dir =>
    withWriter(dir, async child => {
      await using log = await open(dir, 'reader');
      assert.deepEqual(
        (await log.topics()).map(({ name }) => name),
        ['in', 'out'],
      );
      assert.deepEqual(await log.groups(), ['g']);
      const [committed] = await log.committed('g', [{ topic: 'in', partition: 0 }]);
      assert.equal(committed?.metadata, String((committed?.offset ?? 0n) - 1n));
      assert.equal((await log.tail({ topic: 'out', partition: 0 }, 3)).length, 3);
      const named = (error: unknown) => locked(error) && String(error).includes(`${child.pid}`);
      await assert.rejects(log.openWriter('w'), named);
      await assert.rejects(log.ensureTopics([{ name: 'x', ...spec }]), named);
      const listener = { assigned() {}, revoking() {}, lost() {} };
      await assert.rejects(log.join({ group: 'g', topics: ['in'], member: 'm', listener }), named);
    }),
  );
});

test('a second owner is refused, with the pid of the first; a killed owner is replaced at once', {
  timeout: 60_000,
}, async () => {
  await inDirectory(async dir => {
    await withWriter(dir, async child => {
      await assert.rejects(open(dir, 'owner'), (error: unknown) => {
        assert.ok(isUmbusError(error, 'UMBUS_LOG_LOCKED'));
        assert.equal(error.details['pid'], child.pid);
        assert.match(error.message, new RegExp(`\\b${child.pid}\\b`));
        return true;
      });
    });
    await using log = await open(dir, 'owner');
    await assert.rejects(open(dir, 'owner'), locked, 'also from the same process');
    await log[Symbol.asyncDispose]();
    await using again = await open(dir, 'owner');
    assert.ok((await again.offset({ topic: 'out', partition: 0 }, 'latest')) > 0n);
  });
});

test('of many that want a dead owner’s log at once, one gets it', { timeout: 60_000 }, async () => {
  await inDirectory(async dir => {
    await withWriter(dir, async () => {});
    const children = Array.from({ length: 5 }, () =>
      spawn(process.execPath, [writer, dir, '20'], { stdio: ['ignore', 'pipe', 'pipe'] }),
    );
    const outcomes = await Promise.all(
      children.map(async child => {
        let errors = '';
        let output = '';
        child.stdout.on('data', chunk => {
          output += chunk;
        });
        child.stderr.on('data', chunk => {
          errors += chunk;
        });
        const [code] = await once(child, 'exit');
        return { code, errors, starts: output.startsWith('start') };
      }),
    );
    for (const { code, errors } of outcomes) {
      if (code !== 0) assert.match(errors, /UMBUS_LOG_LOCKED/);
    }
    const owners = outcomes.filter(({ starts }) => starts).length;
    assert.ok(owners >= 1, 'somebody got it');
    await using log = await open(dir, 'reader');
    const [committed] = await log.committed('g', [{ topic: 'in', partition: 0 }]);
    let records = 0n;
    for (let number = 0n; number < (committed?.offset ?? 0n); number++) records += 1n + (number % 7n);
    assert.equal(await log.offset({ topic: 'out', partition: 0 }, 'latest'), records);
  });
});

test('an owner whose number now belongs to another process is dead; one that cannot be examined is, after a silence', async () => {
  await inDirectory(async dir => {
    const forge = async (changes: object, silentMs: number) => {
      await (await open(dir, 'owner'))[Symbol.asyncDispose]();
      const environment = openEnvironment(dir, { maxBytes, readOnly: false });
      const { control } = environment;
      const self = {
        pid: process.pid,
        host: hostname(),
        started: '1',
        boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
        pidNamespace: readlinkSync('/proc/self/ns/pid'),
      };
      const version = control.getEntry(Buffer.from('owner'))?.version ?? 0;
      control.putSync(Buffer.from('owner'), Buffer.from(JSON.stringify({ ...self, ...changes })), version);
      await environment.root.close();
      const seconds = (systemClock.now() - silentMs) / 1_000;
      utimesSync(join(dir, 'owner-beat'), seconds, seconds);
    };
    await forge({}, 0);
    await (await open(dir, 'owner'))[Symbol.asyncDispose]();
    await forge({ boot: 'another boot' }, 0);
    await (await open(dir, 'owner'))[Symbol.asyncDispose]();
    const elsewhere = { host: 'elsewhere', pidNamespace: 'pid:[1]' };
    await forge(elsewhere, 5_000);
    await assert.rejects(
      open(dir, 'owner'),
      (error: unknown) => locked(error) && /elsewhere/.test(String(error)),
    );
    const seconds = (systemClock.now() - 60_000) / 1_000;
    utimesSync(join(dir, 'owner-beat'), seconds, seconds);
    await (await open(dir, 'owner'))[Symbol.asyncDispose]();
  });
});

test('an owner that was replaced writes nothing more', async () => {
  await inDirectory(async dir => {
    await using log = await open(dir, 'owner');
    await log.ensureTopics([{ name: 'out', ...spec }]);
    await using first = await log.openWriter('w');
    await first.append([record('before')]);
    const environment = openEnvironment(dir, { maxBytes, readOnly: false });
    const owner = environment.control.getEntry(Buffer.from('owner'));
    assert.ok(owner !== undefined);
    environment.control.putSync(Buffer.from('owner'), owner.value, (owner.version ?? 0) + 1);
    await assert.rejects(first.append([record('after')]), locked);
    await using second = await log.openWriter('w');
    await assert.rejects(second.append([record('later')]), locked);
    assert.equal((await log.tail({ topic: 'out', partition: 0 }, 9)).length, 1);
    await environment.root.close();
  });
});

test('a directory of a newer format, or without a log, is refused with what is wrong', async () => {
  await inDirectory(async dir => {
    const directory = (text: RegExp) => (error: unknown) =>
      isUmbusError(error, 'UMBUS_LOG_DIRECTORY') && text.test(error.message);
    await assert.rejects(open(dir, 'reader'), directory(/no log in it/));
    await (await open(dir, 'owner'))[Symbol.asyncDispose]();
    const environment = openEnvironment(dir, { maxBytes, readOnly: false });
    environment.control.putSync(Buffer.from('format'), Buffer.from('2'), 1);
    await environment.root.close();
    for (const mode of ['owner', 'reader'] as const)
      await assert.rejects(open(dir, mode), directory(/format 2/));
    await assert.rejects(open(join(dir, 'data.mdb', 'below'), 'owner'), directory(/cannot be used/));
  });
});

test('an owner and a reader in one process share the log', async () => {
  await inDirectory(async dir => {
    await using owner = await open(dir, 'owner');
    await owner.ensureTopics([{ name: 'out', ...spec }]);
    await using reader = await open(dir, 'reader');
    await using into = await owner.openWriter('w');
    const reading = reader.read(
      { topic: 'out', partition: 0, offset: 0n },
      { maxBytes: 100, maxWaitMs: 10_000 },
      new AbortController().signal,
    );
    await into.append([record('x')]);
    assert.equal((await reading).records.length, 1);
    await reader[Symbol.asyncDispose]();
    await into.append([record('y')]);
    assert.equal(await owner.offset({ topic: 'out', partition: 0 }, 'latest'), 2n);
  });
});

test(
  'processes that open and close a log at the same moment do not break its locks for each other',
  { timeout: 60_000 },
  () =>
    inDirectory(async dir => {
      await withWriter(dir, async () => {});
      const opener = join(import.meta.dirname, '../support/embedded-opener.ts');
      const codes = await Promise.all(
        [1, 2, 3].map(async () => {
          const child = spawn(process.execPath, [opener, dir, '150'], {
            stdio: ['ignore', 'ignore', 'inherit'],
          });
          const [code] = await once(child, 'exit');
          return code;
        }),
      );
      assert.deepEqual(codes, [0, 0, 0]);
      assert.ok(!existsSync(join(dir, 'door')));
    }),
);

test('a process that was killed while it opened a log does not keep others out', { timeout: 60_000 }, () =>
  inDirectory(async dir => {
    await withWriter(dir, async child => {
      const dead = { ...describeProcess(), pid: child.pid ?? 0, started: '1' };
      writeFileSync(join(dir, 'door'), JSON.stringify(dead));
      const before = performance.now();
      await using log = await open(dir, 'reader');
      assert.ok((await log.topics()).length > 0);
      assert.ok(performance.now() - before < 8_000, 'nobody waits for the dead');
    });
  }),
);

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UmbusError } from '../../src/core/errors.ts';
import type { TopologyEvents } from '../../src/runtime/events.ts';
import {
  createDriver,
  type Driver,
  type DriverOptions,
  explore,
  simulated,
} from '../../src/testing/index.ts';
import { defineTopology, trusted } from '../../src/topology/definition.ts';
import { int32, utf8 } from '../../src/topology/serdes.ts';
import { topic } from '../../src/topology/topic.ts';
import type { ExternalSource } from '../../src/topology/types.ts';
import { lander, NumberServer, runs } from './numbered-source.ts';

function driven(size = 3, options: DriverOptions = {}): { server: NumberServer; driver: Driver } {
  const server = new NumberServer();
  return { server, driver: createDriver(lander, { server, size }, options) };
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);
const landed = (driver: Driver): number[] =>
  driver
    .out(runs)
    .all()
    .flatMap(({ value }) => value.values);

test('lands what is there, and a rest as soon as nothing more is ready', async () => {
  const { server, driver } = driven();
  server.grow(7);
  await driver.settle();
  assert.deepEqual(
    driver
      .out(runs)
      .all()
      .map(({ value }) => value.values.length),
    [3, 3, 1],
  );
  server.grow(1);
  await driver.settle();
  assert.deepEqual(landed(driver), upTo(8));
  assert.deepEqual(server.opened, [1]);
  assert.equal(driver.snapshots()[0]?.externals[0]?.seq, `${'0'.repeat(31)}8`);
});

test('goes on after its own tail when the connection is cut or the process dies', async () => {
  const { server, driver } = driven();
  server.grow(5);
  await driver.settle();
  server.cut();
  server.grow(5);
  await driver.settle();
  driver.crash(driver.instances[0] ?? assert.fail());
  server.grow(5);
  await driver.settle();
  assert.deepEqual(landed(driver), upTo(15));
  assert.deepEqual(server.opened, [1, 6, 11]);
});

test('keeps trying an unreachable source for ever, with growing waits, and tells each', async () => {
  const told: (readonly [string | null, number, number])[] = [];
  const events: TopologyEvents = {
    reconnecting: ({ attempt, delayMs, code }) => told.push([code, attempt, delayMs]),
  };
  const { server, driver } = driven(3, { events });
  server.refuse = new UmbusError('UMBUS_SOURCE_UNREACHABLE', 'Nobody listens.');
  await driver.settle();
  assert.equal(driver.snapshots()[0]?.state, 'restarting');
  assert.ok(told.length > 10);
  for (const [index, [code, attempt, delayMs]] of told.entries()) {
    assert.deepEqual([code, attempt], ['UMBUS_SOURCE_UNREACHABLE', index + 1]);
    const longest = Math.min(10_000, 100 * 2 ** index);
    assert.ok(delayMs >= longest / 2 && delayMs <= longest, `attempt ${attempt} waits ${delayMs} ms`);
  }
  server.refuse = null;
  server.grow(2);
  await driver.advance('10s');
  assert.deepEqual(landed(driver), upTo(2));
  assert.equal(driver.snapshots()[0]?.state, 'running');
});

test('lands what came before a damaged value, tries a few times, and stops with the error', async () => {
  const { server, driver } = driven(2);
  server.damaged.add(6);
  server.grow(9);
  await assert.rejects(driver.settle(), {
    code: 'UMBUS_BINLOG_CHECKSUM',
    message: /5 times at the same place.*Number 6/,
  });
  assert.deepEqual(landed(driver), upTo(4));
  assert.deepEqual(server.opened, [1, 5, 5, 5, 5]);
});

test('a value that was damaged on the way once does no harm', async () => {
  const { server, driver } = driven(2, { events: { reconnecting: () => server.damaged.clear() } });
  server.damaged.add(6);
  server.grow(9);
  await driver.settle();
  assert.deepEqual(landed(driver), upTo(9));
});

test('an error that does not pass stops the topology at once', async () => {
  const { server, driver } = driven();
  server.refuse = new UmbusError('UMBUS_SOURCE_AUTH', 'Wrong password.');
  await assert.rejects(driver.settle(), { code: 'UMBUS_SOURCE_AUTH' });
});

test('stopping lands what was read and closes in order', async () => {
  const { server, driver } = driven(100);
  server.grow(4);
  await driver.settle();
  server.grow(4);
  await driver.stop();
  const values = landed(driver);
  assert.deepEqual(values, upTo(values.length));
  assert.ok(values.length >= 4);
  assert.equal(driver.instances[0]?.alive, false);
});

test('a second extractor takes over, and the first one stops as fenced', async () => {
  const { server, driver } = driven(3, { instances: 1 });
  server.grow(3);
  await driver.settle();
  driver.join();
  server.grow(3);
  await assert.rejects(
    (async () => {
      for (let round = 0; round < 10; round += 1) {
        server.grow(3);
        await driver.settle();
      }
    })(),
    { code: 'UMBUS_LOG_FENCED' },
  );
});

test('a source that gives no seq has its values numbered on from the tail', async () => {
  const out = topic('values', utf8, int32);
  let given = 0;
  const source: ExternalSource<number, string, number> = {
    resumeFrom: out,
    open: async tail => {
      given = tail?.value ?? 0;
      return {
        read: async () => {
          if (given >= 5) return new Promise(() => {});
          given += 1;
          return given;
        },
        get ready() {
          return given < 5;
        },
        async [Symbol.asyncDispose]() {},
      };
    },
  };
  const plain = defineTopology({
    name: 'plain',
    version: 1,
    config: trusted<null>(),
    build: t =>
      t
        .external('source', source)
        .key('key', () => 'k')
        .to('values', out),
  });
  const driver = createDriver(plain, null);
  await driver.settle();
  driver.crash(driver.instances[0] ?? assert.fail());
  await driver.settle();
  const seqs = driver
    .out(out)
    .all()
    .map(({ seq }) => Buffer.from(seq ?? []).readBigUInt64BE());
  assert.deepEqual(seqs, [1n, 2n, 3n, 4n, 5n]);
});

const doubled = topic('doubled', utf8, int32);
const doubler = defineTopology({
  name: 'doubler',
  version: 1,
  config: trusted<null>(),
  build(t) {
    t.source('runs', runs)
      .flatMap('values', run => run.values)
      .map('double', value => value * 2)
      .to('doubled', doubled);
  },
});

for (const commitMode of ['atomic', 'outputs-first'] as const) {
  test(`a line of two topologies loses and doubles nothing, with ${commitMode} commits`, async () => {
    const servers = new Map<Driver, NumberServer>();
    await explore({
      seeds: 150,
      build: seed => {
        const server = new NumberServer();
        const parts = [simulated(lander, { server, size: 3 }), simulated(doubler, null, 2)];
        const driver = createDriver(parts, { seed, commitMode });
        servers.set(driver, server);
        return driver;
      },
      faults: { crash: 0.04, zombie: 0.04, rebalance: 0.03, duplicate: 0.02, redeliver: 0.02 },
      run: async (driver, random) => {
        const server = servers.get(driver) ?? assert.fail();
        while (server.last < 40) {
          server.grow(1 + random.below(5));
          if (random.chance(0.2)) server.cut();
          if (random.chance(0.4)) await driver.settle();
          else for (let steps = random.below(10); steps > 0; steps -= 1) await driver.step();
        }
      },
      invariant: driver => {
        const { last } = servers.get(driver) ?? assert.fail();
        assert.deepEqual(
          driver
            .out(runs)
            .distinct()
            .flatMap(({ value }) => value.values),
          upTo(last),
        );
        assert.deepEqual(
          driver.out(doubled).values(),
          upTo(last).map(value => value * 2),
        );
        servers.delete(driver);
      },
    });
  });
}

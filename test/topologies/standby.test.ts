import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CellCoordination } from '../../src/adapters/cell-coordination/cell-coordination.ts';
import {
  createMemoryCoordination,
  createMemoryLog,
  type MemoryLog,
} from '../../src/adapters/memory/index.ts';
import { isUmbusError } from '../../src/core/errors.ts';
import type { TopologyEvents } from '../../src/runtime/events.ts';
import { type RunningTopology, startTopology } from '../../src/runtime/start.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { until } from '../support/until.ts';
import { lander, NumberServer, type Run } from './numbered-source.ts';

/** Processes that run the same external source on one log, in time that tests move. */
class Line {
  readonly clock = new VirtualClock(0);
  readonly log: MemoryLog = createMemoryLog({ clock: this.clock });
  readonly server = new NumberServer();
  readonly world = createMemoryCoordination({ clock: this.clock });
  readonly told: string[] = [];

  start(member: string): { readonly running: RunningTopology; readonly coordination: CellCoordination } {
    const coordination = this.world.open();
    const events: TopologyEvents = {
      connected: () => this.told.push(`${member} connected`),
      standby: ({ holder, lease }) => this.told.push(`${member} waits for ${holder}, ${lease}`),
      reconnecting: ({ code }) => this.told.push(`${member} ${code}`),
      failed: ({ error }) => this.told.push(`${member} failed: ${String(error)}`),
    };
    const running = startTopology(
      lander,
      { server: this.server, size: 3 },
      { log: this.log, clock: this.clock, instance: 'x', member, coordination, events, random: () => 0 },
    );
    return { running, coordination };
  }

  get landed(): number[] {
    const batches = this.log.records({ topic: 'runs', partition: 0 });
    return batches.flatMap(({ value }) => (JSON.parse(Buffer.from(value ?? []).toString()) as Run).values);
  }

  /** Moves time on, in steps, until the condition holds. */
  async pass(what: string, condition: () => boolean, stepMs = 100): Promise<number> {
    const startMs = this.clock.now();
    await until(what, async () => {
      await new Promise(resolve => setImmediate(resolve));
      if (condition()) return true;
      this.clock.moveTo(this.clock.now() + stepMs);
      return false;
    });
    return this.clock.now() - startMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.log[Symbol.asyncDispose]();
  }
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

test('one process reads the source, the other stands by and goes on when the first stops', async () => {
  await using line = new Line();
  const a = line.start('a');
  await until('a reads', () => line.told.includes('a connected'));
  const b = line.start('b');
  await until('b waits', () => line.told.includes('b waits for a, umbus.x.lander'));
  assert.equal(b.running.snapshot().externals[0]?.standby, true);
  assert.equal(b.running.state, 'restarting');
  assert.equal(a.running.snapshot().externals[0]?.standby, false);
  line.server.grow(5);
  await until('a lands', () => line.landed.length === 5);
  const stopping = a.running.stop();
  await line.pass('b reads', () => line.told.includes('b connected'));
  await stopping;
  line.server.grow(5);
  await until('b lands', () => line.landed.length === 10);
  assert.deepEqual(line.landed, upTo(10));
  assert.equal(b.running.snapshot().externals[0]?.standby, false);
  assert.equal(b.running.state, 'running');
  assert.deepEqual(line.server.opened, [1, 6]);
  await b.running.stop();
});

test('a standby takes over within seconds from a process that can prove nothing any more, which stops before', async () => {
  await using line = new Line();
  const a = line.start('a');
  await until('a reads', () => line.told.includes('a connected'));
  const b = line.start('b');
  await until('b waits', () => line.told.some(told => told.startsWith('b waits')));
  line.server.grow(4);
  await until('a lands', () => line.landed.length === 4);
  await a.coordination.abandon();
  const tookMs = await line.pass('b reads', () => line.told.includes('b connected'));
  assert.ok(tookMs <= 8_000, `b took over after ${tookMs} ms`);
  assert.ok(line.told.indexOf('a UMBUS_COORDINATION_LOST') < line.told.indexOf('b connected'));
  line.server.grow(4);
  await until('b lands', () => line.landed.length === 8);
  assert.deepEqual(line.landed, upTo(8));
  await Promise.all([a.running.stop(), b.running.stop(), line.pass('all stop', () => true)]);
});

test('a process that is fenced while it holds the lease reads on', async () => {
  await using line = new Line();
  const a = line.start('a');
  await until('a reads', () => line.told.includes('a connected'));
  await using _late = await line.log.openWriter('umbus.x.lander');
  line.server.grow(3);
  await line.pass('a lands', () => line.told.includes('a UMBUS_LOG_FENCED') && line.landed.length === 3);
  assert.deepEqual(line.landed, upTo(3));
  await a.running.stop();
});

test('a process that waits stops at once', async () => {
  await using line = new Line();
  const a = line.start('a');
  await until('a reads', () => line.told.includes('a connected'));
  const b = line.start('b');
  await until('b waits', () => line.told.some(told => told.startsWith('b waits')));
  await b.running.stop();
  assert.equal(b.running.state, 'stopped');
  await a.running.stop();
  assert.deepEqual(await a.coordination.leases(), []);
});

test('every process shows what it runs, until it stops', async () => {
  await using line = new Line();
  const a = line.start('a');
  const b = line.start('b');
  const ids = async () => (await b.coordination.members()).map(({ id }) => id);
  await until('both are shown', async () => (await ids()).length === 2);
  const [shown] = await b.coordination.members();
  assert.deepEqual(shown, {
    id: 'x/a/lander',
    info: { topologies: 'lander', since: '1970-01-01T00:00:00.000Z' },
  });
  await a.running.stop();
  assert.deepEqual(await ids(), ['x/b/lander']);
  await b.running.stop();
  assert.deepEqual(await ids(), []);
});

test('without coordination the process that starts last takes over', async () => {
  await using line = new Line();
  const options = { log: line.log, clock: line.clock, instance: 'x' };
  const first = startTopology(lander, { server: line.server, size: 3 }, options);
  const failed = assert.rejects(first.done, error => isUmbusError(error, 'UMBUS_LOG_FENCED'));
  await until('the first reads', () => line.server.opened.length === 1);
  const second = startTopology(lander, { server: line.server, size: 3 }, options);
  await until('the second reads', () => line.server.opened.length === 2);
  line.server.grow(2);
  await failed;
  await until('the second lands', () => line.landed.length === 2);
  await second.stop();
});

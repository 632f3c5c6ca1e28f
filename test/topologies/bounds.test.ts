import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryLog, type MemoryLog } from '../../src/adapters/memory/memory-log.ts';
import type { JoinOptions, Log, Membership } from '../../src/ports/log.ts';
import { startTopology } from '../../src/runtime/start.ts';
import { VirtualClock } from '../../src/testing/index.ts';
import { defineTopology, trusted } from '../../src/topology/definition.ts';
import { bytes, none } from '../../src/topology/serdes.ts';
import { topic } from '../../src/topology/topic.ts';
import { until } from '../support/until.ts';

const MEGABYTE = 1024 * 1024;
const big = topic('big', none, bytes);
const out = topic('out', none, bytes);

/** The log with writes that become durable only when `release` is called. */
class SlowLog {
  readonly inner: MemoryLog = createMemoryLog();
  readonly #held: (() => void)[] = [];
  most = 0;

  release(): void {
    for (const go of this.#held.splice(0)) go();
  }

  async #hold<T>(write: Promise<T>): Promise<T> {
    await new Promise<void>(resolve => {
      this.#held.push(resolve);
      this.most = Math.max(this.most, this.#held.length);
    });
    return write;
  }

  /** The log as the topology sees it: everything as it is, but the end of a write is told late. */
  get log(): Log {
    const { inner } = this;
    return new Proxy<Log>(inner, {
      get: (_, name) => {
        if (name === 'openWriter') {
          return async (id: string) => {
            const writer = await inner.openWriter(id);
            return {
              append: (records: Parameters<typeof writer.append>[0]) => this.#hold(writer.append(records)),
              [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
            };
          };
        }
        if (name === 'join') return (options: JoinOptions) => this.#join(options);
        const member: unknown = Reflect.get(inner, name);
        return typeof member === 'function' ? member.bind(inner) : member;
      },
    });
  }

  async #join(options: JoinOptions): Promise<Membership> {
    const membership = await this.inner.join(options);
    const commit = membership.commit.bind(membership);
    membership.commit = offered => this.#hold(commit(offered));
    return membership;
  }
}

test('a source outside is not read on while too much is on its way to the log', async () => {
  const slow = new SlowLog();
  let read = 0;
  const endless = defineTopology({
    name: 'endless',
    version: 1,
    config: trusted<null>(),
    build(t) {
      const open = async () => ({
        ready: true,
        read: async () => {
          read += 1;
          return Buffer.alloc(MEGABYTE, read);
        },
        async [Symbol.asyncDispose]() {},
      });
      t.external('endless', { resumeFrom: big, open }).to('big', big);
    },
  });
  const running = startTopology(endless, null, { log: slow.log, clock: new VirtualClock(0), instance: 'x' });
  await until(
    'it stops reading',
    () => (running.snapshot().externals[0]?.inFlightBytes ?? 0) >= 16 * MEGABYTE,
  );
  const before = read;
  for (let turns = 0; turns < 100; turns += 1) await new Promise(setImmediate);
  assert.equal(read, before);
  assert.ok(read <= 22, `${read} MB were read`);
  slow.release();
  await until('it reads on', () => read > before);
  const stopped = running.stop();
  await until('it has stopped', () => {
    slow.release();
    return running.state === 'stopped';
  });
  await stopped;
});

test('no more than two commits are in flight, and polls are bounded', async () => {
  const slow = new SlowLog();
  let largest = 0;
  const copying = defineTopology({
    name: 'copying',
    version: 1,
    config: trusted<null>(),
    commit: { maxBytes: MEGABYTE },
    build: t => t.source('big', big).to('out', out),
  });
  await slow.inner.ensureTopics([
    { name: 'big', partitions: 1, cleanup: 'delete', retentionMs: null, retentionBytes: null },
  ]);
  const writer = await slow.inner.openWriter('test');
  const value = Buffer.alloc(MEGABYTE / 4);
  for (let count = 0; count < 40; count += 1) {
    await writer.append([{ topic: 'big', partition: 0, key: null, value, timestampMs: 0, headers: {} }]);
  }
  const running = startTopology(copying, null, {
    log: slow.log,
    clock: new VirtualClock(0),
    instance: 'x',
    events: {
      committed: ({ bytes: written }) => {
        largest = Math.max(largest, written);
      },
    },
  });
  await until('all is copied', () => {
    slow.release();
    return running.snapshot().counts.outputs === 40;
  });
  const stopped = running.stop();
  await until('it has stopped', () => {
    slow.release();
    return running.state === 'stopped';
  });
  await stopped;
  assert.equal(slow.most, 2);
  assert.ok(largest <= 1.25 * MEGABYTE, `a commit of ${largest} bytes`);
});

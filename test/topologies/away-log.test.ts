import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryLog } from '../../src/adapters/memory/memory-log.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { type ErrorCode, UmbusError } from '../../src/core/errors.ts';
import type { Log } from '../../src/ports/log.ts';
import { startTopology } from '../../src/runtime/start.ts';
import { defineTopology, trusted } from '../../src/topology/definition.ts';
import { utf8 } from '../../src/topology/serdes.ts';
import { topic } from '../../src/topology/topic.ts';
import { until } from '../support/until.ts';

const copying = defineTopology({
  name: 'copying',
  version: 1,
  config: trusted<null>(),
  build(t) {
    t.source('in', topic('in', utf8, utf8)).to('out', topic('out', utf8, utf8));
  },
});

/** A memory log that cannot make topics, with this error, for the first `times` calls. */
function awayLog(code: ErrorCode, times: number): Log {
  const log = createMemoryLog({ clock: systemClock });
  const make = log.ensureTopics.bind(log);
  let calls = 0;
  log.ensureTopics = async specs => {
    calls += 1;
    if (calls <= times) throw new UmbusError(code, 'The test has taken the log away.');
    await make(specs);
  };
  return log;
}

test('a topology that starts while its log is away waits, tells so, and begins when the log is there', async () => {
  const told: string[] = [];
  await using log = awayLog('UMBUS_KAFKA_UNREACHABLE', 2);
  const running = startTopology(copying, null, {
    log,
    clock: systemClock,
    instance: 'test',
    random: () => 0,
    events: { restarted: ({ code, attempt }) => told.push(`${code} ${attempt}`) },
  });
  await until('the topology to run', () => running.state === 'running');
  assert.deepEqual(told, ['UMBUS_KAFKA_UNREACHABLE 1', 'UMBUS_KAFKA_UNREACHABLE 2']);
  assert.deepEqual(
    (await log.topics()).map(({ name }) => name),
    ['in', 'out'],
  );
  await running.stop();
});

test('a topology that waits for its log can be stopped', async () => {
  await using log = awayLog('UMBUS_KAFKA_UNREACHABLE', Number.POSITIVE_INFINITY);
  const told: number[] = [];
  const running = startTopology(copying, null, {
    log,
    clock: systemClock,
    instance: 'test',
    events: { restarted: ({ attempt }) => told.push(attempt) },
  });
  await until('the topology to wait', () => told.length > 0);
  await running.stop();
  await running.done;
  assert.equal(running.state, 'stopped');
});

test('a topology that is stopped while its source is being opened ends in order', async () => {
  const opening = Promise.withResolvers<void>();
  const landed = topic('landed', utf8, utf8);
  const landing = defineTopology({
    name: 'landing',
    version: 1,
    config: trusted<null>(),
    build(t) {
      t.external<string, string, string>('slow', {
        resumeFrom: landed,
        open: (_, signal) => {
          opening.resolve();
          return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
        },
      })
        .key('key', value => value)
        .to('landed', landed);
    },
  });
  await using log = createMemoryLog({ clock: systemClock });
  const running = startTopology(landing, null, { log, clock: systemClock, instance: 'test' });
  await opening.promise;
  await running.stop();
  await running.done;
  assert.equal(running.state, 'stopped');
});

test('a topology whose topics cannot be made at all fails at once', async () => {
  await using log = awayLog('UMBUS_KAFKA_ACL', 1);
  const running = startTopology(copying, null, { log, clock: systemClock, instance: 'test' });
  await assert.rejects(running.done, { code: 'UMBUS_KAFKA_ACL' });
  assert.equal(running.state, 'failed');
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { createMemoryLog } from '../../../src/adapters/memory/memory-log.ts';
import { systemClock } from '../../../src/adapters/system-clock.ts';
import type { EventLog } from '../../../src/cli/event-log.ts';
import { runTopologies } from '../../../src/cli/run/run-topologies.ts';
import { topologyLog } from '../../../src/cli/run/topology-log.ts';
import { UmbusError } from '../../../src/core/errors.ts';
import { defineTopology } from '../../../src/topology/definition.ts';
import { utf8 } from '../../../src/topology/serdes.ts';
import { topic } from '../../../src/topology/topic.ts';
import { outgoing } from './line-log.ts';

interface Told {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

function listening(): { readonly told: Told[]; readonly events: EventLog } {
  const told: Told[] = [];
  return { told, events: (level, message, fields = {}) => told.push({ level, message, fields }) };
}

function copying(name: string, from: string, fail = false) {
  return {
    definition: defineTopology({
      name,
      version: 1,
      config: z.object({}),
      build(t) {
        t.source('in', topic(from, utf8, utf8))
          .map('copy', text => {
            if (fail) throw new UmbusError('UMBUS_SOURCE_POSITION_GONE', 'Gone.');
            return text;
          })
          .to('out', topic(`${from}.${name}`, utf8, utf8));
      },
    }),
    config: {},
  };
}

describe('topologyLog', () => {
  const parked = (key: string, offset: bigint) => ({
    topology: 'appender',
    task: 'appender-0',
    stage: 'ums',
    topic: 'shop.shop',
    partition: 0,
    offset,
    key,
    code: 'UMBUS_BINLOG_TYPE',
    message: 'No such type.',
  });

  it('tells of a table when it is parked first, and of no repeat', () => {
    const { told, events } = listening();
    const observers = topologyLog(events);
    for (const [key, offset] of [
      ['shop.a', 1n],
      ['shop.a', 2n],
      ['shop.b', 3n],
    ] as const)
      observers.parked?.(parked(key, offset));
    assert.deepEqual(
      told.map(({ level, fields }) => [level, fields['key'], fields['from']]),
      [
        ['warn', 'shop.a', 'shop.shop/0@1'],
        ['warn', 'shop.b', 'shop.shop/0@3'],
      ],
    );
  });

  it('remembers a bounded number of them', () => {
    const { told, events } = listening();
    const observers = topologyLog(events);
    for (let index = 0; index < 5_000; index++) observers.parked?.(parked(`shop.t${index}`, 1n));
    assert.equal(told.length, 1_000);
  });
});

describe('runTopologies', () => {
  async function logWithWord() {
    const log = createMemoryLog({ clock: systemClock });
    await log.ensureTopics([
      { name: 'words', partitions: 1, cleanup: 'delete', retentionMs: null, retentionBytes: null },
    ]);
    await using writer = await log.openWriter('w');
    await writer.append([outgoing('words', 0, 'k', Buffer.from('one'))]);
    return log;
  }

  it('stops all topologies when asked, after what was read is committed', async () => {
    const { told, events } = listening();
    const stop = new AbortController();
    const log = await logWithWord();
    const running = runTopologies([copying('a', 'words'), copying('b', 'words')], {
      log,
      clock: systemClock,
      instance: 'test',
      member: 'm',
      events: (level, message, fields) => {
        events(level, message, fields);
        if (told.filter(each => each.message === 'Partitions were assigned.').length === 2) stop.abort();
      },
      stopping: stop.signal,
    });
    await running;
    assert.equal(told.filter(each => each.message.startsWith('Topology has stopped')).length, 2);
    assert.ok(told.every(each => each.level === 'info'));
  });

  it('stops the others when one fails, and throws its error', async () => {
    const { told, events } = listening();
    const log = await logWithWord();
    const options = {
      log,
      clock: systemClock,
      instance: 'test',
      member: 'm',
      events,
      stopping: new AbortController().signal,
    };
    await assert.rejects(runTopologies([copying('good', 'words'), copying('bad', 'words', true)], options), {
      code: 'UMBUS_SOURCE_POSITION_GONE',
    });
    const stopped = told
      .filter(each => each.message.startsWith('Topology has stopped'))
      .map(each => each.fields['topology']);
    assert.deepEqual(stopped, ['good']);
    const [failure] = told.filter(each => each.level === 'error');
    assert.deepEqual(
      [failure?.fields['topology'], failure?.fields['code']],
      ['bad', 'UMBUS_SOURCE_POSITION_GONE'],
    );
  });

  it('stops those that began when a later one cannot be built', async () => {
    const { told, events } = listening();
    const options = {
      log: await logWithWord(),
      clock: systemClock,
      instance: 'test',
      member: 'm',
      events,
      stopping: new AbortController().signal,
    };
    const broken = { ...copying('broken', 'words'), config: 'not an object' };
    await assert.rejects(runTopologies([copying('good', 'words'), broken], options), {
      code: 'UMBUS_CONFIG_INVALID',
    });
    assert.ok(
      told.some(
        each => each.message.startsWith('Topology has stopped') && each.fields['topology'] === 'good',
      ),
    );
  });
});

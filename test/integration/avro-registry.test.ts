import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import test from 'node:test';
import { SchemaRegistry as IndependentReader } from '@kafkajs/confluent-schema-registry';
import { createMemoryLog } from '../../src/adapters/memory/index.ts';
import { openLineSchemas, openRegistry } from '../../src/adapters/registry/index.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import type { RawRun } from '../../src/change/raw-run.ts';
import type { Line } from '../../src/config/line.ts';
import { createTables, rows, subscribe } from '../../src/consumer/index.ts';
import { startTopology } from '../../src/runtime/start.ts';
import { appender } from '../../topologies/appender.ts';
import { dispatcher } from '../../topologies/dispatcher.ts';
import { rawTopic, type TopicSettings } from '../../topologies/topics.ts';
import { BinlogBuilder } from '../support/binlog-builder.ts';
import { requireRegistry } from '../support/servers.ts';
import { until } from '../support/until.ts';
import { image, le } from '../unit/rows/rows-fixture.ts';
import { insert, row, runsOf, table } from '../unit/stages/append-fixture.ts';

const topic = 'web.shop.result';

/** A run for each transaction: orders, users, orders whose text has become a number, users. */
function runsOfLine(): readonly RawRun[] {
  const builder = new BinlogBuilder().begin();
  insert(builder, table('orders'), row(1, 'a'), row(2, null));
  insert(builder, table('users', 9), row(7, 'u'));
  const columns = [
    { name: 'id', type: 3 },
    { name: 'name', type: 3, nullable: true },
  ];
  insert(builder, table('orders', 8, { columns }), image(le(3, 4), le(5, 4)));
  insert(builder, table('users', 9), row(8, 'v'));
  return runsOf(builder, 1);
}

test('a line with a real registry: rows that its own client reads, a registry that is killed and comes back, a table that it refuses', async t => {
  await using server = await requireRegistry(t);
  if (server === null) return;
  await using registry = openRegistry({ url: server.url, username: null, password: null });
  const config: TopicSettings & Pick<Line, 'appender' | 'masking' | 'signals'> = {
    signals: { schema: 'dbus' },
    ds: 'web',
    schemas: {
      shop: {
        tables: ['*'],
        exclude: [],
        beforeImage: [],
        logical: {},
        initial: 'none',
        masks: [],
        result: { partitions: null, placeBy: 'table', placeColumns: {}, format: 'avro' },
      },
    },
    topics: { partitions: 1, retentionMs: null, retentionBytes: null },
    appender: { maxRows: 500, maxBytes: 1_048_576, timeZone: 'UTC' },
    masking: { keys: {}, timeoutMs: 1_000, directory: '/' },
    registered: await openLineSchemas(registry, { ds: 'web', compatibility: 'BACKWARD' }),
  };
  await using log = createMemoryLog({ clock: systemClock });
  const raw = rawTopic(config);
  await log.ensureTopics([
    { name: raw.name, partitions: 1, cleanup: 'delete', retentionMs: null, retentionBytes: null },
  ]);
  await using writer = await log.openWriter('test');
  const send = (runs: readonly RawRun[]): Promise<unknown> =>
    writer.append(
      runs.map(run => ({
        topic: raw.name,
        partition: 0,
        key: Buffer.from(`${run.file}:${run.position}`),
        value: raw.value.encode(run),
        timestampMs: 0,
        headers: {},
      })),
    );
  const runs = runsOfLine();
  const restarts: string[] = [];
  const parked: string[] = [];
  const options = {
    log,
    clock: systemClock,
    instance: 'web',
    events: {
      restarted: ({ code }: { readonly code: string }) => restarts.push(code),
      parked: ({ key, code }: { readonly key: string; readonly code: string }) =>
        parked.push(`${key} ${code}`),
    },
  };
  const running = [startTopology(dispatcher, config, options), startTopology(appender, config, options)];
  const published = () =>
    log
      .topics()
      .then(topics =>
        topics.some(({ name }) => name === topic) ? log.records({ topic, partition: 0 }) : [],
      );
  try {
    await send(runs.slice(0, 1));
    await until('the first rows are there', async () => (await published()).length === 2);

    // An independent reader, with nothing of umbus.
    const reader = new IndependentReader({ host: server.url });
    const decoded: unknown[] = [];
    for (const { value } of await published()) {
      const { id, name, ums_op_ } = await reader.decode(Buffer.from(value ?? []));
      decoded.push([id, name, ums_op_]);
    }
    assert.deepEqual(decoded, [
      [1, 'a', 'i'],
      [2, null, 'i'],
    ]);

    await server.kill();
    await send(runs.slice(1, 2));
    await until('the registry is missed', () => restarts.includes('UMBUS_REGISTRY_UNREACHABLE'), 60_000);
    assert.equal((await published()).length, 2);
    await server.start();
    await until('the line goes on', async () => (await published()).length === 3, 60_000);

    await send(runs.slice(2));
    await until('the other table goes on', async () => (await published()).length === 4, 60_000);
    assert.deepEqual(parked, ['shop.orders UMBUS_REGISTRY_INCOMPATIBLE']);

    const tables = createTables();
    const seen: unknown[] = [];
    for await (const { message } of subscribe({ log, topics: [topic], follow: false, registry })) {
      tables.apply(message);
      seen.push(...[...rows(message)].map(each => each.key));
    }
    assert.deepEqual(seen, [[1], [2], [7], [8]]);
    assert.deepEqual(
      [...(tables.get('shop.users')?.rows() ?? [])],
      [
        { id: 7, name: 'u' },
        { id: 8, name: 'v' },
      ],
    );
  } finally {
    for (const topology of running) await topology.stop();
  }
});

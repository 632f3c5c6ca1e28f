import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { umbus } from '../support/cli/umbus.ts';
import { LineProcess } from '../support/line-process.ts';
import { requireKafka, requireRegistry, requireServer } from '../support/servers.ts';
import { until } from '../support/until.ts';

interface Status {
  readonly log: { readonly kind: string };
  readonly topics: readonly { readonly topic: string }[];
  readonly groups: readonly { readonly group: string; readonly lagRecords: number | string }[];
  readonly tables: readonly { readonly table: string; readonly parked: unknown }[];
}

test('the commands serve a line on Kafka with results in Avro: check, run, status, tail, parked, replay', async t => {
  await using server = await requireServer(t, 'mariadb');
  await using kafka = server === null ? null : await requireKafka(t);
  await using registry = kafka === null ? null : await requireRegistry(t);
  if (server === null || kafka === null || registry === null) return;
  const dir = await mkdtemp(join(tmpdir(), 'umbus-cli-kafka-'));
  const file = join(dir, 'web.yaml');
  const write = (partitions: number, compatibility: string): Promise<void> =>
    writeFile(
      file,
      `ds: web
source: { url: 'mysql://${server.user}@${server.host}:${server.port}', serverId: 77, start: earliest }
schemas: { shop: { result: { format: avro, partitions: 3, placeBy: primary-key } } }
log: { kafka: { brokers: '${kafka.bootstrap.join(',')}', sessionTimeout: 3s } }
guarantee: exactly-once
registry: { url: '${registry.url}', compatibility: ${compatibility} }
topics: { partitions: ${partitions} }
`,
    );
  const status = async (): Promise<Status> =>
    JSON.parse((await umbus(['status', '--line', file, '--json'])).out) as Status;
  const read = async (): Promise<readonly string[]> => {
    const { out, code, err } = await umbus([
      'tail',
      '--line',
      file,
      'web.shop.result',
      '--from',
      'beginning',
      '--json',
    ]);
    assert.equal(code, 0, err);
    return out.trim() === '' ? [] : out.trim().split('\n');
  };
  const values = async (): Promise<readonly string[]> =>
    (await read())
      .map(
        line =>
          JSON.parse(line) as { payload: { tuple: unknown[] }[]; schema: { fields: { name: string }[] } },
      )
      .flatMap(({ payload, schema }) =>
        payload.map(({ tuple }) => `${tuple[2]} ${tuple.slice(4).join(' ')} of ${schema.fields.length}`),
      )
      .toSorted();
  try {
    await write(2, 'BACKWARD');
    for (const sql of [
      'CREATE DATABASE shop',
      'CREATE TABLE shop.orders (id INT PRIMARY KEY, note VARCHAR(20))',
      "INSERT INTO shop.orders VALUES (1, '5'), (2, NULL)",
    ])
      await server.query(sql);
    await using line = new LineProcess('line', file, []);
    line.start();
    await until('rows to come out', async () => {
      line.assertRunning();
      return (
        (await status()).topics.some(({ topic }) => topic === 'web.shop.result') &&
        (await read()).length === 2
      );
    });
    assert.deepEqual(await values(), ['i 1 5 of 6', 'i 2  of 6']);

    const told = await status();
    assert.equal(told.log.kind, 'kafka');
    assert.ok(told.groups.every(({ group }) => group.startsWith('umbus.web.')));
    const checked = await umbus(['check', '--line', file]);
    assert.match(checked.out, /ok\s+kafka\s+2 topics of the line/);

    // The registry takes no text where a whole number was: the table is parked, and not published.
    await server.query('ALTER TABLE shop.orders MODIFY note INT');
    await server.query('INSERT INTO shop.orders VALUES (3, 30)');
    await until('the table to be parked', async () =>
      (await status()).tables.some(({ parked }) => parked !== null),
    );
    const locked = await umbus(['parked', '--line', file, 'replay']);
    assert.equal(locked.code, 5, locked.err);
    assert.match(locked.err, /UMBUS_LOG_LOCKED/);
    await line.stop();

    const refused = await umbus(['parked', '--line', file, 'replay']);
    assert.equal(refused.code, 1, refused.err);
    assert.match(refused.out, /UMBUS_REGISTRY_INCOMPATIBLE/);
    await write(2, 'NONE');
    const replayed = await umbus(['parked', '--line', file, 'replay']);
    assert.equal(replayed.code, 0, replayed.err);
    assert.ok((await values()).includes('i 3 30 of 6'), (await values()).join('; '));
    assert.ok((await status()).tables.every(({ parked }) => parked === null));

    await write(4, 'NONE');
    const wrong = await umbus(['check', '--line', file]);
    assert.equal(wrong.code, 1);
    assert.match(wrong.out, /web\.shop has 2 partitions/);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

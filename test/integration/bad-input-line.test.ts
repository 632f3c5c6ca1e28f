import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { beforeImage, subscription } from '../../src/config/subscription.ts';
import { type AppendOutput, appendStores, createAppender } from '../../src/stages/append.ts';
import { NEW_TABLE } from '../../src/stages/append-state.ts';
import { defineTopology, type TopologyDefinition, trusted } from '../../src/topology/definition.ts';
import type { AppenderConfig } from '../../topologies/appender.ts';
import { bySchema, deadTopicName, resultTopic, schemaTopic } from '../../topologies/topics.ts';
import { startUmbus, umbus } from '../support/cli/umbus.ts';
import { changesOf } from '../support/published.ts';
import { PROBE_SCHEMA, startLine } from '../support/running-line.ts';
import { requireServer, type Server, serverKinds } from '../support/servers.ts';
import { until } from '../support/until.ts';
import { assertEachRowOnce, assertWhole } from '../support/whole-line.ts';

const root = mkdtempSync(join(tmpdir(), 'umbus-bad-line-'));
after(() => rmSync(root, { recursive: true, force: true }));

let files = 0;

/** A line file in a directory of its own. */
function lineFile(
  server: Server,
  source: { readonly user?: string; readonly password?: string; readonly serverId?: number } = {},
): { readonly dir: string; readonly file: string } {
  files += 1;
  const dir = mkdtempSync(join(root, `${files}-`));
  const file = join(dir, 'line.yaml');
  const { user = 'root', password = '', serverId = 3_000_000_000 } = source;
  writeFileSync(
    file,
    `ds: test
source: { host: 127.0.0.1, port: ${server.port}, user: ${user}, password: "${password}", serverId: ${serverId}, start: earliest }
schemas: { shop: {}, ${PROBE_SCHEMA}: {} }
log: { embedded: { dir: log, maxBytes: 1GB } }
topics: { partitions: 2 }
`,
  );
  return { dir, file };
}

async function createShop(server: Server): Promise<void> {
  await server.query('CREATE DATABASE shop');
  await server.query('CREATE TABLE shop.a (n INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(2000))');
}

/** The appender as an older version may be: it cannot decode `shop.shape`, from its first row on. */
const olderAppender = defineTopology({
  name: 'appender',
  version: 1,
  config: trusted<AppenderConfig>(),
  onError: { decode: 'fail', process: 'fail' },
  deadLetter: config => deadTopicName(config),
  build(t, config) {
    const results = bySchema(config, resultTopic);
    const options = {
      ds: config.ds,
      ...config.appender,
      subscribed: subscription(config),
      partitions: config.topics.partitions,
      beforeImage: beforeImage(config),
    };
    const parked = {
      since: '2026-01-01 00:00:00.000',
      code: 'UMBUS_BINLOG_TYPE',
      message: 'Column v has a type that is not decoded yet.',
      events: 0,
    } as const;
    t.source('by-schema', bySchema(config, schemaTopic).all)
      .process('append', appendStores, () => {
        const appender = createAppender(options);
        const older: typeof appender = {
          on(record, context, emit) {
            const { tables } = context.stores;
            const hasShape = record.value.tables.some(({ table }) => table === 'shape');
            if (hasShape && tables.get('shop.shape') === undefined) {
              tables.set('shop.shape', { ...NEW_TABLE, parked });
            }
            appender.on(record, context, emit);
          },
        };
        return older;
      })
      .filter('results', output => output.notice !== true)
      .to('result', (output: AppendOutput) => results.of(output.schema), {
        topics: results.all,
        key: output => output.key,
        value: output => output.value,
      });
  },
});

for (const kind of serverKinds) {
  test(`on ${kind} a parked table is replayed in order by an appender that can decode it, and then goes on`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    const { dir, file } = lineFile(server);
    await createShop(server);
    await server.query('CREATE TABLE shop.shape (n INT PRIMARY KEY, v VARCHAR(9))');
    const add = (from: number) =>
      server.query(`INSERT INTO shop.shape VALUES (${from}, 'x'), (${from + 1}, 'y')`);
    for (const first of [1, 11]) {
      await using line = await startLine({
        server,
        schemas: ['shop'],
        dir,
        instead: { appender: olderAppender as TopologyDefinition<unknown> },
      });
      await add(first);
      await server.query("INSERT INTO shop.a (v) VALUES ('goes on')");
      await server.query(`UPDATE shop.shape SET n = n + 1000 WHERE n = ${first}`);
      if (first === 11) await server.query('TRUNCATE TABLE shop.shape');
      await add(first + 2);
      await line.drained();
      assert.deepEqual(await changesOf(line.log, 'test.shop.result', 'shape', 'n'), []);
    }

    const command = async (...args: readonly string[]) => {
      const ended = await umbus(['parked', ...args, '--line', file]);
      assert.equal(ended.err, '');
      return ended;
    };
    const letters: { key: string; code: string; waiting: boolean; offset: string }[] = JSON.parse(
      (await command('list', '--json')).out,
    );
    assert.ok(letters.length >= 2);
    assert.ok(letters.every(({ key, waiting }) => key === 'shop.shape' && waiting));
    const [first] = letters;
    const shown = await command('show', String(first?.offset));
    assert.match(shown.out, /UMBUS_BINLOG_TYPE/);
    assert.match(shown.out, /shop\.shape/);
    const replay = await command('replay', '--json');
    assert.equal(replay.code, 0);
    const [report] = JSON.parse(replay.out);
    assert.equal(report.problem, null);
    assert.equal(report.letters, letters.length);

    await using line = await startLine({ server, schemas: ['shop'], dir });
    await add(21);
    await assertWhole(line);
    assert.deepEqual(await changesOf(line.log, 'test.shop.result', 'shape', 'n'), [
      ...['i 1', 'i 2', 'b 1', 'u 1001', 'i 3', 'i 4'],
      ...['i 11', 'i 12', 'b 11', 'u 1011', 'end truncate', 'i 13', 'i 14'],
      ...['i 21', 'i 22'],
    ]);
  });

  test(`on ${kind} a full log holds the line where it is, and more room lets it go on without a loss`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    await createShop(server);
    const dir = mkdtempSync(join(root, 'full-'));
    const rows = Array.from({ length: 500 }, () => `(REPEAT('v', 1500))`).join(', ');
    const full = new Set<string>();
    {
      await using line = await startLine({
        server,
        schemas: ['shop'],
        dir,
        maxBytes: 12 * 1024 * 1024,
        events: {
          restarted: ({ topology, code }) => full.add(`${topology} ${code}`),
          reconnecting: ({ topology, code }) => full.add(`${topology} ${code}`),
        },
      });
      for (let n = 0; n < 30; n++) await server.query(`INSERT INTO shop.a (v) VALUES ${rows}`);
      await until('the log to be full', () => full.size > 0);
      await server.query("INSERT INTO shop.a (v) VALUES ('while it is full')");
      await until('the extractor to wait too', () => full.has('mysql-extractor UMBUS_LOG_FULL'));
      assert.ok(
        [...full].every(text => text.endsWith(' UMBUS_LOG_FULL')),
        [...full].join(),
      );
      for (const topology of line.topologies) assert.match(topology.state, /^(running|restarting)$/);
    }
    await using line = await startLine({ server, schemas: ['shop'], dir });
    await assertEachRowOnce(line, 'shop');
  });

  test(`on ${kind} umbus run ends with the documented exit code and a coded message when it cannot work`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    await createShop(server);
    await server.query("CREATE USER 'poor'@'%' IDENTIFIED BY 'right'");
    const serverId = server.serverId;
    const cases: readonly (readonly [file: string, code: number, message: RegExp])[] = [
      [lineFile(server, { user: 'poor', password: 'wrong' }).file, 4, /UMBUS_SOURCE_AUTH: .*'poor'/],
      [lineFile(server, { user: 'nobody' }).file, 4, /UMBUS_SOURCE_AUTH: /],
      [
        lineFile(server, { user: 'poor', password: 'right' }).file,
        4,
        /UMBUS_SOURCE_GRANT: .*GRANT REPLICATION/,
      ],
      [lineFile(server, { serverId }).file, 4, /UMBUS_SOURCE_SERVER_ID: .*is the server's own/],
      [join(root, 'no-such-line.yaml'), 3, /UMBUS_CONFIG_UNREADABLE: /],
      [root, 3, /UMBUS_CONFIG_UNREADABLE: /],
    ];
    for (const [file, code, message] of cases) {
      const ended = await umbus(['run', '--line', file]);
      assert.match(ended.err, new RegExp(`^umbus: ${message.source}`, 'm'));
      assert.equal(ended.code, code, ended.err);
      assert.ok(!/right|wrong/.test(ended.err.replaceAll('copyright', '')), 'no password is told');
    }
  });

  test(`on ${kind} the older of two lines with one server id ends and says so`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    await createShop(server);
    const connected = async (running: ReturnType<typeof startUmbus>) => {
      await until('the source to be connected', () => {
        if (running.process.exitCode !== null) throw new Error(running.err);
        return running.err.includes('Source is connected.');
      });
    };
    await using older = startUmbus(['run', '--line', lineFile(server).file]);
    await connected(older);
    await using younger = startUmbus(['run', '--line', lineFile(server).file]);
    await connected(younger);
    const { code, err } = await older.ended;
    assert.match(err, /^umbus: UMBUS_SOURCE_SERVER_ID: /m);
    assert.equal(code, 4);
    younger.kill('SIGTERM');
    assert.equal((await younger.ended).code, 0, younger.err);
  });
}

import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openLineLog } from '../../src/cli/open-line.ts';
import { loadLine } from '../../src/config/load-line.ts';
import { type Ended, startUmbus, umbus } from '../support/cli/umbus.ts';
import { leakSearch } from '../support/leak-search.ts';
import {
  changeTables,
  createTables,
  FAILING,
  MARKERS,
  MASKS_MODULE,
  MASKS_YAML,
} from '../support/mask-scenario.ts';
import { requireKafka, requireServer, type Server } from '../support/servers.ts';
import { until } from '../support/until.ts';

/** The topics that hold the binlog as it is, by design. */
const RAW = ['web', 'web.shop'];
const env = { MASK_KEY: 'a key of more than sixteen bytes' };
const search = leakSearch(Object.values(MARKERS));

interface Status {
  readonly tables: readonly {
    readonly table: string;
    readonly inserts: number;
    readonly deletes: number;
    readonly parked: { readonly code: string; readonly message: string } | null;
  }[];
}

/** A line file with the scenario's masks, in a directory of its own with their module. */
async function lineFile(server: Server, dir: string, log: string): Promise<string> {
  const file = join(dir, 'web.yaml');
  await writeFile(join(dir, 'masks.ts'), MASKS_MODULE);
  await writeFile(
    file,
    `ds: web
source: { url: 'mysql://${server.user}@${server.host}:${server.port}', serverId: 78, start: earliest }
masking: { keys: { pii: { env: MASK_KEY } }, timeout: 500ms }
schemas:
  shop:
    beforeImage: ['*']
${MASKS_YAML}${log}topics: { partitions: 2 }
`,
  );
  return file;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise<void>(resolve => server.close(() => resolve()));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Runs the line over the scenario and every command that shows something of it, `shown` dead letters at the most; gives all that they wrote, by name. */
async function written(
  file: string,
  server: Server,
  shown = Number.POSITIVE_INFINITY,
): Promise<ReadonlyMap<string, string>> {
  const all = new Map<string, string>();
  const keep = (name: string, { out, err }: Pick<Ended, 'out' | 'err'>): void => {
    all.set(name, (all.get(name) ?? '') + out + err);
  };
  const command = async (...args: readonly string[]): Promise<Ended> => {
    const ended = await umbus([...args, '--line', file], { env });
    keep(args.join(' '), ended);
    return ended;
  };
  const status = async (): Promise<Status> => {
    const { code, out, err } = await command('status', '--json');
    if (code !== 0 && code !== 1) throw new Error(err);
    return JSON.parse(out) as Status;
  };
  const port = await freePort();
  {
    const args = ['run', '--line', file, '--log', 'json', '--metrics', `127.0.0.1:${port}`];
    await using running = startUmbus(args, { env });
    await until('the source to be connected', () => running.err.includes('Source is connected.'), 60_000);
    await changeTables(server);
    await until(
      'all tables to be parked or published',
      async () => {
        if (running.process.exitCode !== null) throw new Error(running.err);
        const { tables } = await status();
        const done = (name: string): boolean =>
          tables.some(each => each.table === `shop.${name}` && each.inserts > 0);
        const parked = tables.filter(each => each.parked !== null).length;
        return parked === FAILING.length + 1 && done('bystander') && done('prints_t');
      },
      90_000,
    );
    const pulled = await command('pull', 'shop.pulled', '--shard-rows', '1');
    assert.equal(pulled.code, 0, pulled.out + pulled.err);
    // Its only key is masked, so it may not be cut by it: bounds of shards travel in plain.
    const uncut = await command('pull', 'shop.uncut', '--shard-rows', '1');
    assert.equal(uncut.code, 0, uncut.out + uncut.err);
    await command('pulls', '--json');
    all.set('metrics', await (await fetch(`http://127.0.0.1:${port}/metrics`)).text());
    const { tables } = await status();
    for (const { table, parked } of tables) {
      const name = table.replace(/^shop\./, '');
      const fails = FAILING.some(each => name === `${each}_t`);
      const code = fails ? 'UMBUS_MASK_FAILED' : name === 'unfit' ? 'UMBUS_MASK_UNFIT' : undefined;
      assert.equal(parked?.code, code, `${table}: ${parked?.message}`);
    }
    assert.deepEqual(
      tables.filter(({ table }) => table === 'shop.good').map(({ inserts, deletes }) => [inserts, deletes]),
      [[1, 1]],
    );
    running.kill('SIGTERM');
    keep('run', await running.ended);
  }
  const letters = JSON.parse((await command('parked', 'list', '--json')).out) as {
    offset: string;
    partition: number;
  }[];
  assert.ok(letters.length >= FAILING.length + 1);
  for (const { offset } of letters.slice(0, shown)) {
    await command('parked', 'show', String(offset));
    await command('parked', 'show', String(offset), '--json');
  }
  await command('parked');
  for (const topic of ['web.shop.result', 'web_dead']) {
    await command('tail', topic, '--from', 'beginning');
    await command('tail', topic, '--from', 'beginning', '--json');
  }
  await command('tail', 'web.shop', '--from', 'beginning');
  // Nothing was mended: the tables stay parked, and the replay may tell no more than the run.
  const replayed = await command('parked', 'replay');
  assert.equal(replayed.code, 1, replayed.err);
  return all;
}

function assertClean(found: readonly string[]): void {
  assert.deepEqual(found, []);
}

test('no byte of a plain value leaves the line, however its masks fail: commands, metrics and all topics but the raw ones', async t => {
  await using server = await requireServer(t, 'mariadb');
  if (server === null) return;
  const dir = await mkdtemp(join(tmpdir(), 'umbus-leaks-'));
  try {
    await createTables(server);
    const file = await lineFile(server, dir, '');
    const all = await written(file, server);
    assertClean([...all].flatMap(([name, text]) => search(name, Buffer.from(text, 'utf8'))));

    await using log = await openLineLog(loadLine(file, env), 'reader');
    const topics = await log.topics();
    const seen: Record<string, number> = {};
    let raw = 0;
    const found: string[] = [];
    for (const { name, extents } of topics) {
      for (const [partition, { earliest, latest }] of extents.entries()) {
        for (let offset = earliest; offset < latest; ) {
          const options = { maxBytes: 1_000_000, maxWaitMs: 0 };
          const batch = await log.read(
            { topic: name, partition, offset },
            options,
            new AbortController().signal,
          );
          for (const { key, value, headers } of batch.records) {
            const parts = [key, value, ...Object.values(headers)].map(each => each ?? new Uint8Array());
            const leaks = parts.flatMap(part => search(`${name}/${partition}`, part));
            seen[name] = (seen[name] ?? 0) + 1;
            if (RAW.includes(name)) raw += leaks.length;
            else found.push(...leaks);
          }
          offset = batch.nextOffset;
        }
      }
    }
    assertClean(found);
    // Every kind of topic was looked at, and the search finds what is there.
    assert.ok(raw >= Object.keys(MARKERS).length, `${raw} found in the raw topics`);
    assert.ok((seen['web.shop.result'] ?? 0) > 0 && (seen['web_dead'] ?? 0) > 0);
    assert.ok(
      Object.keys(seen).some(name => name.startsWith('umbus.')),
      Object.keys(seen).join(),
    );
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

test('on Kafka, no file of the broker holds a byte of a plain value but those of the raw topics', async t => {
  await using server = await requireServer(t, 'mariadb');
  await using kafka = server === null ? null : await requireKafka(t);
  if (server === null || kafka === null) return;
  const dir = await mkdtemp(join(tmpdir(), 'umbus-leaks-'));
  try {
    await createTables(server);
    // Compressed, it could hide them.
    const log = `log: { kafka: { brokers: '${kafka.bootstrap.join(',')}', sessionTimeout: 3s, compression: none } }\n`;
    // Each way to fail is shown on the embedded log.
    const all = await written(await lineFile(server, dir, log), server, 1);
    assertClean([...all].flatMap(([name, text]) => search(name, Buffer.from(text, 'utf8'))));

    const files = await readdir(kafka.brokers[0]?.logDir ?? '', { recursive: true, withFileTypes: true });
    let raw = 0;
    let bytes = 0;
    const found: string[] = [];
    for (const each of files.filter(file => file.isFile())) {
      const content = await readFile(join(each.parentPath, each.name));
      const folder = each.parentPath.slice(each.parentPath.lastIndexOf('/') + 1);
      const leaks = search(`${folder}/${each.name}`, content);
      if (RAW.includes(folder.replace(/-\d+$/, ''))) raw += leaks.length;
      else {
        bytes += content.length;
        found.push(...leaks);
      }
    }
    assertClean(found);
    assert.ok(raw >= Object.keys(MARKERS).length, `${raw} found in the raw topics`);
    assert.ok(bytes > 10_000, `${bytes} bytes of other topics`);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

/** `umbus pull` and `umbus pulls` as commands, beside the process that runs the line. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startUmbus, umbus } from '../support/cli/umbus.ts';
import { requireServer } from '../support/servers.ts';
import { until } from '../support/until.ts';

const dir = mkdtempSync(join(tmpdir(), 'umbus-pull-'));
after(() => rmSync(dir, { recursive: true, force: true }));

test('a pull is asked for, watched, refused, listed and cancelled by commands', async t => {
  await using server = await requireServer(t, 'mariadb');
  if (server === null) return;
  await server.query('CREATE DATABASE shop');
  await server.query('CREATE TABLE shop.orders (id INT PRIMARY KEY, note VARCHAR(40))');
  await server.query("INSERT INTO shop.orders SELECT seq, 'x' FROM shop.seq_1_to_5000");
  await server.query('CREATE TABLE shop.items (id INT PRIMARY KEY)');
  const file = join(dir, 'shop.yaml');
  writeFileSync(
    file,
    `ds: shop
source: { url: 'mysql://root@127.0.0.1:${server.port}', serverId: 3100000007, start: now }
schemas: { shop: {} }
log: { embedded: { dir: log } }
`,
  );
  const command = (...args: readonly string[]) => umbus([...args, '--line', file], { cwd: dir });
  assert.match((await command('pull', 'shop.orders')).err, /UMBUS_LOG_UNKNOWN_TOPIC/);
  await using running = startUmbus(['run', '--line', file], { cwd: dir });
  await until(
    'the source to be connected',
    () => running.err.includes('Source is connected.') || running.process.exitCode !== null,
  );
  const pulled = await command('pull', 'shop.*', '--shard-rows', '1000', '--concurrency', '2');
  assert.equal(pulled.code, 0, pulled.err + running.err);
  assert.match(pulled.out, /shop\.orders {2}whole {2}6 of 6 shards {2}5,000 rows/);
  assert.match(pulled.out, /shop\.items {2}whole {2}1 of 1 shards {2}0 rows/);
  const tail = await umbus(['tail', '--line', file, 'shop.shop.result', '--json', '--from', 'beginning'], {
    cwd: dir,
  });
  assert.match(tail.out, /"batch":\{"state":"end","pull":"[0-9T-]+","whole":true,"rows":5000\}/);

  for (const [args, code, why] of [
    [['pull', 'orders'], 2, /UMBUS_USAGE/],
    [['pull', 'shop.orders', '--shard-rows', 'many'], 2, /UMBUS_USAGE/],
    [['pull', 'shop.orders', '--concurrency', '0'], 2, /UMBUS_USAGE/],
    [['pulls', '--throttle', 'nobody'], 2, /needs --rows or --concurrency/],
    [['pull', 'other.orders'], 1, /UMBUS_PULL_TABLE/],
    [['pull', 'shop.orders', '--where', 'id = 1; DROP TABLE x'], 1, /UMBUS_PULL_CONDITION.*character 7/],
    [['pull', 'shop.orders', '--where', 'nothing = 1'], 1, /^$/],
    [['pull', 'shop.orders', '--mode', 'independent'], 2, /--to and --mode independent belong together/],
    [['pull', 'shop.orders', '--mode', 'independent', '--to', 'shop_ctrl'], 1, /^$/],
    [['pulls', '--cancel', 'nobody'], 2, /There is no pull nobody/],
  ] as const) {
    const refused = await command(...args);
    assert.equal(refused.code, code, `${args.join(' ')}: ${refused.err}${refused.out}`);
    assert.match(refused.err, why);
  }
  const copied = await command(
    'pull',
    'shop.orders',
    '--mode',
    'independent',
    '--to',
    'copy',
    '--columns',
    'id',
  );
  assert.match(copied.out, /shop\.orders {2}whole {2}1 of 1 shards {2}5,000 rows/, copied.err);
  const failures = await command('pulls');
  for (const code of ['UMBUS_PULL_CONDITION', 'UMBUS_PULL_TOPIC']) {
    assert.ok(failures.out.includes(code), failures.out);
  }
  const asked = await command(
    ...['pull', 'shop.orders', '--mode', 'blocking'],
    ...['--shard-rows', '5', '--concurrency', '1', '--no-wait'],
  );
  const pull = asked.out.split(' ')[0] ?? '';
  const slow = await command('pulls', '--throttle', pull, '--rows', '1', '--concurrency', '1');
  assert.equal(slow.code, 0, slow.err);
  let status = '';
  await until('a change to wait for the pull', async () => {
    await server.query("INSERT INTO shop.orders SELECT MAX(id) + 1, 'y' FROM shop.orders");
    status = (await command('status')).out;
    return status.includes(`shop.orders: changes and heartbeats wait for the pull ${pull}`);
  });
  assert.match(status, new RegExp(`\n {2}shop\\.orders +${pull} +(?:splitting|pulling) `));
  assert.match(status, /\n {2}shop\.orders +\S+ +failed +UMBUS_PULL_TOPIC at /);
  const twice = await command('pull', 'shop.orders');
  assert.match(twice.err, /UMBUS_PULL_RUNNING/);
  assert.equal((await command('pulls', '--cancel', pull)).code, 0);
  await until('the pull to be cancelled', async () => {
    const { out } = await command('pulls', '--json');
    const pulls = JSON.parse(out) as {
      record: { job: { pull: string }; failure: { code: string } | null };
    }[];
    return (
      pulls.find(({ record }) => record.job.pull === pull)?.record.failure?.code === 'UMBUS_PULL_CANCELLED'
    );
  });
  assert.match((await command('pulls')).out, /shop\.orders +aborted .*UMBUS_PULL_CANCELLED/);
});

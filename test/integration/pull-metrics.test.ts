import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startUmbus, umbus } from '../support/cli/umbus.ts';
import { seriesValue } from '../support/prometheus-text.ts';
import { requireServer } from '../support/servers.ts';
import { until } from '../support/until.ts';

const dir = mkdtempSync(join(tmpdir(), 'umbus-pull-metrics-'));
after(() => rmSync(dir, { recursive: true, force: true }));

test('the metrics of a line say what full pulls are under way, how far they are, and how they ended', async t => {
  await using server = await requireServer(t, 'mariadb');
  if (server === null) return;
  await server.query('CREATE DATABASE shop');
  await server.query('CREATE TABLE shop.orders (id INT PRIMARY KEY, note VARCHAR(40))');
  await server.query("INSERT INTO shop.orders SELECT seq, 'x' FROM shop.seq_1_to_20000");
  const file = join(dir, 'shop.yaml');
  const log = join(dir, 'log');
  writeFileSync(
    file,
    `ds: shop\nsource: { url: "mysql://root@127.0.0.1:${server.port}", start: now }\nschemas: { shop: {} }\nlog: { embedded: { dir: "${log}" } }\nmetrics: { every: 1s }\n`,
  );
  await using running = startUmbus(['run', '--line', file, '--metrics', '0']);
  const urlOf = () => /at=(http:\/\/127\.0\.0\.1:\d+)\/metrics/.exec(running.err)?.[1];
  await until('the source to be connected', () => running.err.includes('Source is connected.'));
  const command = async (...args: readonly string[]): Promise<string> => {
    const { code, out, err } = await umbus([...args, '--line', file]);
    assert.equal(code, 0, err);
    return out;
  };
  const table = 'shop.orders';
  /** Waits until series have values: each is a name without its beginning, and a label. */
  const shows = async (
    wanted: Readonly<
      Record<string, readonly [labels: Readonly<Record<string, string>>, value: number | null][]>
    >,
  ): Promise<void> => {
    let text = '';
    const wrong = (): readonly string[] =>
      Object.entries(wanted).flatMap(([name, series]) =>
        series
          .filter(([labels, value]) => seriesValue(text, `umbus_${name}`, labels) !== value)
          .map(
            ([labels]) =>
              `${name} ${JSON.stringify(labels)} is ${seriesValue(text, `umbus_${name}`, labels)}`,
          ),
      );
    try {
      await until('the metrics', async () => {
        text = await (await fetch(`${urlOf()}/metrics`)).text();
        return wrong().length === 0;
      });
    } catch (cause) {
      throw new Error(wrong().join('; '), { cause });
    }
  };

  await command('pull', table, '--shard-rows', '5000');
  await shows({
    pull_open_pulls: [[{ state: 'pulling' }, 0]],
    pull_ended_pulls: [[{ state: 'whole' }, 1]],
    table_pulled_rows_total: [[{ table }, 20_000]],
    pull_table_rows: [[{ table, state: 'published' }, null]],
  });

  // So many shards that it is not over before it is slowed down.
  const pull = (await command('pull', table, '--shard-rows', '50', '--no-wait')).split(' ')[0] ?? '';
  await command('pulls', '--throttle', pull, '--rows', '500');
  await command('pulls', '--pause', pull);
  await shows({
    pull_open_pulls: [
      [{ state: 'paused' }, 1],
      [{ state: 'pulling' }, 0],
    ],
    pull_throttled_pulls: [[{}, 1]],
    pull_table_idle_seconds: [[{ table }, 0]],
  });
  await command('pulls', '--throttle', pull, '--rows', '1');
  await command('pulls', '--resume', pull);
  await shows({
    pull_open_pulls: [[{ state: 'pulling' }, 1]],
    pull_table_shards: [[{ table, state: 'asked' }, 401]],
  });
  await command('pulls', '--cancel', pull);
  await shows({
    pull_open_pulls: [[{ state: 'pulling' }, 0]],
    pull_ended_pulls: [
      [{ state: 'whole' }, 1],
      [{ state: 'cancelled' }, 1],
      [{ state: 'failed' }, 0],
    ],
    pull_throttled_pulls: [[{}, 0]],
  });
  running.kill('SIGTERM');
  assert.equal((await running.ended).code, 0, running.err);
});

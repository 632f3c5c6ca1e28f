import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { umbus } from '../support/cli/umbus.ts';
import { createSignalTables } from '../support/heartbeats.ts';
import { kafkaLineText } from '../support/kafka-line-file.ts';
import { LineProcess } from '../support/line-process.ts';
import { PROBE_SCHEMA } from '../support/running-line.ts';
import { requireKafka, requireServer } from '../support/servers.ts';
import { until } from '../support/until.ts';

const EVERY_MS = 500;
const WRONG_CLOCK = join(import.meta.dirname, '../support/wrong-clock.ts');
/** How long a lease outlives its holder: its time to live, and a poll of who waits for it. */
const LEASE_MS = 6_000 + 1_500;
/** Other work of the machine. */
const SLACK_MS = 3_000;

test('a standby beats within an interval and a lease after its leader was killed, and no round is doubled', async t => {
  await using server = await requireServer(t, 'mariadb');
  await using kafka = server === null ? null : await requireKafka(t);
  if (server === null || kafka === null) return;
  await createSignalTables(sql => server.query(sql));
  await server.query(`CREATE DATABASE ${PROBE_SCHEMA}`);
  await server.query('CREATE DATABASE shop');
  await server.query('CREATE TABLE shop.quiet (id INT PRIMARY KEY)');
  const dir = await mkdtemp(join(tmpdir(), 'umbus-takeover-'));
  const file = join(dir, 'web.yaml');
  const brokers = kafka.bootstrap;
  const guarantee = 'effectively-once' as const;
  const text = kafkaLineText({
    server,
    ds: 'web',
    schemas: ['shop'],
    kafka: { brokers, guarantee },
    partitions: 2,
  });
  await writeFile(file, `${text}heartbeat: { every: ${EVERY_MS}ms }\n`);
  const beats = async (): Promise<readonly { readonly beat: number; readonly ms: number }[]> =>
    (
      await server.query(
        "SELECT PACKET AS p FROM dbus.db_heartbeat_monitor WHERE TABLE_NAME = '*' ORDER BY ID",
      )
    ).map(row => {
      const packet = JSON.parse(String(row['p'])) as { beat: number; time: number };
      return { beat: packet.beat, ms: packet.time };
    });
  try {
    await using line = new LineProcess('line', file, ['mysql-extractor', 'dispatcher', 'appender']);
    await using first = new LineProcess('first', file, ['heartbeat']);
    await using second = new LineProcess('second', file, ['heartbeat']);
    line.start();
    first.start();
    await until('the first to beat', async () => (await beats()).length >= 3, 60_000);
    second.start();
    await second.tells(/Stands by/);
    const before = (await beats()).length;
    await until('more rounds of the first', async () => (await beats()).length >= before + 3);
    await first.end('SIGKILL');
    const last = (await beats()).at(-1) ?? assert.fail();
    await until('the second to beat', async () => ((await beats()).at(-1)?.beat ?? 0) >= last.beat + 3);
    const all = await beats();
    const next = all.find(({ beat }) => beat > last.beat) ?? assert.fail();
    const gapMs = next.ms - last.ms;
    t.diagnostic(`the standby beat ${gapMs} ms after the last round`);
    assert.ok(gapMs <= EVERY_MS + LEASE_MS + SLACK_MS, `${gapMs} ms without a round`);
    assert.deepEqual(
      all.map(({ beat }) => beat),
      all.map((_, i) => i + 1),
      'Rounds are doubled or lost.',
    );
    // The board of another process shows it.
    let shown = '';
    await until('the table on the board', async () => {
      const { out } = await umbus(['heartbeat', '--line', file, '--once', '--json']);
      shown = out;
      return /"shop\.quiet"/.test(out) && /"late": false/.test(out);
    });
    assert.match(shown, /"read": \{/);
    const { clockAheadMs } = JSON.parse(shown);
    assert.ok(Math.abs(clockAheadMs) < 100, `the clocks of one machine are ${clockAheadMs} ms apart`);
    // A board on a machine whose clock is wrong takes nothing for late.
    const wrong = await umbus(['heartbeat', '--line', file, '--once', '--json'], {
      env: { NODE_OPTIONS: `--import=${WRONG_CLOCK}`, AHEAD_MS: '60000' },
    });
    const board = JSON.parse(wrong.out);
    assert.ok(Math.abs(board.clockAheadMs - 60_000) < 100, `${board.clockAheadMs} ms`);
    assert.deepEqual(
      board.tables.map(({ late }: { late: boolean }) => late),
      board.tables.map(() => false),
    );
    second.assertRunning();
    await second.stop();
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

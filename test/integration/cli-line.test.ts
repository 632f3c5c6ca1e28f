import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { decodeRawRun } from '../../src/change/raw-run.ts';
import { openLineLog } from '../../src/cli/open-line.ts';
import { loadLine } from '../../src/config/load-line.ts';
import { readUms } from '../../src/consumer/read.ts';
import type { LogRecord } from '../../src/ports/log.ts';
import { startUmbus, umbus } from '../support/cli/umbus.ts';
import { requireServer, type Server } from '../support/servers.ts';
import { until } from '../support/until.ts';
import { deadHeaders, outgoing } from '../unit/cli/line-log.ts';

const dir = mkdtempSync(join(tmpdir(), 'umbus-cli-line-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const secret = 'geheim-0815';
const env = { UMBUS_SHOP_PASSWORD: secret };

async function shop(server: Server): Promise<string> {
  await server.query('CREATE DATABASE shop');
  await server.query('CREATE TABLE shop.orders (id INT PRIMARY KEY, note VARCHAR(40))');
  await server.query(`CREATE USER 'umbus'@'%' IDENTIFIED BY '${secret}'`);
  await server.query("GRANT SELECT ON *.* TO 'umbus'@'%'");
  return `mysql://umbus@127.0.0.1:${server.port}`;
}

async function grant(server: Server): Promise<void> {
  await server.query(
    "GRANT REPLICATION SLAVE, REPLICATION CLIENT, REPLICATION SLAVE ADMIN, REPLICATION MASTER ADMIN ON *.* TO 'umbus'@'%'",
  );
}

describe('the command line on a MariaDB server', () => {
  it('goes from init over check and run to status and tail', async test => {
    await using server = await requireServer(test, 'mariadb');
    if (server === null) return;
    const url = await shop(server);
    const file = join(dir, 'shop.yaml');
    const printed: string[] = [];
    const command = async (args: readonly string[]) => {
      const ended = await umbus(args, { cwd: dir, env });
      printed.push(ended.out, ended.err);
      return ended;
    };

    const init = await command(['init', '--mysql', url, '--ds', 'shop']);
    assert.equal(init.code, 0, init.err);
    assert.match(init.err, /Wrote shop\.yaml: 1 schema on mariadb /);
    const line = loadLine(file, env);
    assert.deepEqual(Object.keys(line.schemas), ['shop']);
    assert.equal(line.source.password, secret);
    assert.ok(!readFileSync(file, 'utf8').includes(secret));
    const again = await command(['init', '--mysql', url, '--ds', 'shop']);
    assert.equal(again.code, 2);
    assert.match(again.err, /shop\.yaml is there already; --force replaces it/);
    assert.equal((await command(['init', '--mysql', url, '--ds', 'shop', '--force'])).code, 0);

    const lacking = await command(['check', '--line', file]);
    assert.equal(lacking.code, 1);
    assert.match(lacking.out, /must change +grant REPLICATION SLAVE/);
    assert.match(lacking.out, /\n {4}GRANT REPLICATION SLAVE ON \*\.\* TO 'umbus'@'%';\n/);
    await grant(server);
    const ready = await command(['check', '--line', file]);
    assert.equal(ready.code, 0, ready.out);
    const json = JSON.parse((await command(['check', '--line', file, '--json'])).out);
    assert.equal(json.ok, true);

    const tailed = ['tail', '--line', file, 'shop.shop.result'];
    {
      await using running = startUmbus(['run', '--line', file], { cwd: dir, env });
      await until(
        'the source to be connected',
        () => running.err.includes('Source is connected.') || running.process.exitCode !== null,
      );
      await server.query("INSERT INTO shop.orders VALUES (1, 'first'), (2, NULL)");
      await server.query("UPDATE shop.orders SET note = 'changed' WHERE id = 1");
      await server.query('DELETE FROM shop.orders WHERE id = 2');
      await until('all rows in the result topic', async () => {
        if (running.process.exitCode !== null) throw new Error(`run ended early: ${running.err}`);
        const { code, out } = await umbus([...tailed, '--from', 'beginning'], { env });
        return code === 0 && out.trimEnd().split('\n').length === 4;
      });
      const { out } = await command([...tailed, '--from', 'beginning']);
      assert.deepEqual(
        out
          .trimEnd()
          .split('\n')
          .map(text => text.replace(/^\d+\/\d+ {2}(\w) {2}\d+ {2}\S+ \S+ {2}/, '$1 ')),
        [
          'i shop.orders  id=1 note="first"',
          'i shop.orders  id=2 note=NULL',
          'u shop.orders  id=1 note="changed"',
          'd shop.orders  id=2 note=NULL',
        ],
      );

      const status = await command(['status', '--line', file]);
      assert.equal(status.code, 0, status.out + status.err);
      assert.match(status.out, /\n {2}shop\.orders +0 +2 +1 +1 +/);
      assert.match(status.out, /\nsource +binlog\.\d+:\d+ \(GTID /);
      const live = JSON.parse((await command(['status', '--line', file, '--json'])).out);
      assert.equal(live.source.reachable, true);
      assert.ok(live.source.lagBytes >= 0 && live.source.lagBytes < 1_000, String(live.source.lagBytes));
      assert.deepEqual(live.dead.records, 0);

      const second = await command(['run', '--line', file]);
      assert.equal(second.code, 5);
      assert.match(second.err, /UMBUS_LOG_LOCKED/);

      running.kill('SIGTERM');
      const ended = await running.ended;
      printed.push(ended.out, ended.err);
      assert.equal(ended.code, 0, ended.err);
    }

    await server.stop();
    const down = await command(['status', '--line', file]);
    assert.equal(down.code, 0);
    assert.match(down.out, /source +not reachable: UMBUS_SOURCE_UNREACHABLE/);
    assert.match(down.out, /\n {2}shop\.orders +0 +2 +1 +1 +/);
    await server.start();
    assert.ok(!printed.join('').includes(secret));
  });

  it('ends run with 4 when the source refuses, and says what to do', async test => {
    await using server = await requireServer(test, 'mariadb');
    if (server === null) return;
    const url = await shop(server);
    const file = join(dir, 'refused.yaml');
    const lineText = (password: string, start = 'now') =>
      `ds: refused\nsource: { url: "${url}", password: ${password}, serverId: 4711, start: ${start} }\nschemas: { shop: {} }\n`;

    writeFileSync(file, lineText('wrong-password'));
    const auth = await umbus(['run', '--line', file]);
    assert.equal(auth.code, 4, auth.err);
    assert.match(auth.err, /umbus: UMBUS_SOURCE_AUTH: /);
    assert.ok(!auth.err.includes('wrong-password'));

    writeFileSync(file, lineText(secret));
    const grants = await umbus(['run', '--line', file, 'mysql-extractor']);
    assert.equal(grants.code, 4, grants.err);
    assert.match(grants.err, /umbus: UMBUS_SOURCE_GRANT: .*GRANT /);

    await grant(server);
    writeFileSync(file, lineText(secret, '{ file: binlog.999999, position: 4 }'));
    const gone = await umbus(['run', '--line', file, '--log', 'json']);
    assert.equal(gone.code, 4, gone.err);
    const events = gone.err
      .trimEnd()
      .split('\n')
      .map(text => JSON.parse(text));
    assert.equal(events.at(-1).code, 'UMBUS_SOURCE_POSITION_GONE');
    assert.ok(existsSync(join(dir, '.umbus', 'refused')));
  });

  it('parks a table that cannot be decoded, and replays what can be', async test => {
    await using server = await requireServer(test, 'mariadb');
    if (server === null) return;
    const url = await shop(server);
    await grant(server);
    await server.query('CREATE TABLE shop.places (id INT PRIMARY KEY, ums_id_ INT)');
    const file = join(dir, 'parking.yaml');
    writeFileSync(
      file,
      `ds: parking\nsource: { url: "${url}", password: "${secret}", serverId: 4712 }\nschemas: { shop: {} }\n`,
    );
    const command = (args: readonly string[]) => umbus([...args, '--line', file]);
    {
      await using running = startUmbus(['run', '--line', file]);
      await until('the source to be connected', () => running.err.includes('Source is connected.'));
      await server.query('INSERT INTO shop.places VALUES (1, 1)');
      await until('the first row to be parked', () => running.err.includes('Parked; the rest goes on.'));
      await server.query("INSERT INTO shop.orders VALUES (1, 'one'), (2, 'two')");
      await server.query('INSERT INTO shop.places VALUES (2, NULL), (3, NULL)');
      await until('both tables in the status', async () => {
        const { out } = await umbus(['status', '--line', file, '--json']);
        const tables = out === '' ? [] : JSON.parse(out).tables;
        return (
          tables.some((each: { parked: { events: number } | null }) => each.parked?.events === 2) &&
          tables.length === 2
        );
      });
      assert.match(
        running.err,
        /warn {2}Parked; the rest goes on\..* key=shop\.places code=UMBUS_BINLOG_TYPE /,
      );
      const locked = await command(['parked', 'replay']);
      assert.equal(locked.code, 5);
      assert.match(locked.err, /the line parking is running: stop it first/);
      running.kill('SIGTERM');
      assert.equal((await running.ended).code, 0);
    }
    assert.equal((await command(['status'])).code, 1);
    const list = JSON.parse((await command(['parked', 'list', '--json'])).out);
    assert.deepEqual(
      list.map((each: { key: string; waiting: boolean }) => [each.key, each.waiting]),
      [
        ['shop.places', true],
        ['shop.places', true],
      ],
    );
    const vain = await command(['parked', 'replay']);
    assert.equal(vain.code, 1);
    assert.equal(vain.err, '');
    assert.match(vain.out, /^shop\.places: still parked, nothing was written: UMBUS_BINLOG_TYPE: /, vain.err);
    assert.equal((await command(['parked', 'replay', '--table', 'shop.orders'])).code, 2);

    // As if an older version had not been able to decode shop.orders either.
    const before = await resultsOf(file);
    assert.equal(before.length, 1);
    await parkAgain(file);
    assert.match(
      (await command(['parked', 'list', '--table', 'shop.orders'])).out,
      / parked +UMBUS_BINLOG_TYPE/,
    );
    const replayed = await command(['parked', 'replay', '--table', 'shop.orders', '--json']);
    assert.equal(replayed.code, 0, replayed.err);
    assert.deepEqual(JSON.parse(replayed.out), [
      { table: 'shop.orders', letters: 1, messages: 1, problem: null },
    ]);
    const results = await resultsOf(file);
    assert.equal(results.length, 2);
    assert.equal(results[1], results[0], 'a replay gives the rows the ids they had');
    assert.match(
      (await command(['parked', 'list', '--table', 'shop.orders'])).out,
      / replayed +UMBUS_BINLOG_TYPE/,
    );
    {
      await using running = startUmbus(['run', '--line', file]);
      await until('the source to be connected', () => running.err.includes('Source is connected.'));
      await server.query("INSERT INTO shop.orders VALUES (3, 'three')");
      await until('the row after the replay', async () => (await resultsOf(file)).length === 3);
      running.kill('SIGTERM');
      assert.equal((await running.ended).code, 0);
    }
  });
});

function payloadOf(record: LogRecord): string {
  const message = readUms(record.value ?? new Uint8Array());
  return JSON.stringify([message.schema.namespace, message.payload]);
}

/** Messages of shop.orders in order. */
async function resultsOf(file: string): Promise<readonly string[]> {
  await using log = await openLineLog(loadLine(file, {}), 'reader');
  const records = await Promise.all(
    [0, 1, 2, 3].map(partition => log.tail({ topic: 'parking.shop.result', partition }, 100)),
  );
  return records.flat().map(payloadOf);
}

/** Writes the last run of shop.orders as a dead letter, and the table's state as parked since then. */
async function parkAgain(file: string): Promise<void> {
  await using log = await openLineLog(loadLine(file, {}), 'owner');
  const changelog = 'umbus.parking.appender-tables-changelog';
  for (let partition = 0; partition < 4; partition++) {
    const runs = await log.tail({ topic: 'parking.shop', partition }, 100);
    const run = runs.findLast(each =>
      decodeRawRun(each.value ?? new Uint8Array()).tables.some(({ table }) => table === 'orders'),
    );
    const stored = (await log.tail({ topic: changelog, partition }, 100)).findLast(
      each => Buffer.from(each.key ?? []).toString() === 'shop.orders',
    );
    if (run === undefined || stored === undefined) continue;
    const state = {
      ...JSON.parse(Buffer.from(stored.value ?? []).toString()),
      parked: { since: '', code: 'UMBUS_BINLOG_TYPE', message: 'No such type.', events: 1 },
    };
    const dead = outgoing('parking_dead', 0, 'shop.orders', run.value, deadHeaders('UMBUS_BINLOG_TYPE'));
    await using writer = await log.openWriter('test');
    await writer.append([
      { ...dead, headers: { ...dead.headers, 'in.seq': run.headers['seq'] ?? new Uint8Array() } },
      {
        ...outgoing(changelog, partition, 'shop.orders', Buffer.from(JSON.stringify(state))),
        headers: stored.headers,
      },
    ]);
  }
}

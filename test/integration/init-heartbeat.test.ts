import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { loadLine } from '../../src/config/load-line.ts';
import { umbus } from '../support/cli/umbus.ts';
import { requireServer, type Server, serverKinds } from '../support/servers.ts';

const dir = mkdtempSync(join(tmpdir(), 'umbus-init-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const secret = 'geheim-2601';
const env = { UMBUS_SHOP_PASSWORD: secret };

async function account(server: Server, name: string, more: readonly string[]): Promise<string> {
  await server.query(`CREATE USER '${name}'@'%' IDENTIFIED BY '${secret}'`);
  await server.query(`GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO '${name}'@'%'`);
  if (server.flavor === 'mariadb')
    await server.query(`GRANT REPLICATION SLAVE ADMIN, REPLICATION MASTER ADMIN ON *.* TO '${name}'@'%'`);
  for (const grant of more) await server.query(`GRANT ${grant} TO '${name}'@'%'`);
  return `mysql://${name}@127.0.0.1:${server.port}`;
}

/** What `umbus check` says of heartbeats, by item. */
async function checked(file: string): Promise<Readonly<Record<string, unknown>>> {
  const { out } = await umbus(['check', '--line', file, '--json'], { cwd: dir, env });
  const { checks } = JSON.parse(out) as { readonly checks: readonly { item: string; ok: boolean }[] };
  const wanted = checks.filter(({ item }) => /heartbeat|INSERT/.test(item));
  return Object.fromEntries(wanted.map(({ item, ok }) => [item, ok]));
}

const READY = { 'heartbeat table': true, 'grant INSERT, DELETE': true, 'heartbeat in binlog': true };

for (const kind of serverKinds) {
  describe(`umbus init --heartbeat on ${kind}`, () => {
    it('makes the tables where the account may, also a second time, and writes a line that beats', async test => {
      await using server = await requireServer(test, kind);
      if (server === null) return;
      await server.query('CREATE DATABASE shop');
      const url = await account(server, 'maker', ['CREATE, INSERT, DELETE ON dbus.*']);
      const file = join(dir, `${kind}-made.yaml`);
      const init = ['init', '--heartbeat', '--mysql', url, '--ds', 'shop', '--out', file];
      for (const args of [init, [...init, '--force']]) {
        const { code, err } = await umbus(args, { cwd: dir, env });
        assert.equal(code, 0, err);
        assert.match(err, /\nThe tables for heartbeats are in schema dbus\.\n/);
      }
      const line = loadLine(file, env);
      assert.deepEqual(line.heartbeat?.every, { kind: 'interval', ms: 5_000 });
      assert.deepEqual(Object.keys(line.schemas), ['shop'], 'signal tables are not published');
      const columns = await server.query('SHOW COLUMNS FROM dbus.db_heartbeat_monitor');
      assert.deepEqual(
        columns.map(row => row['Field']),
        ['ID', 'DS_NAME', 'SCHEMA_NAME', 'TABLE_NAME', 'PACKET', 'CREATE_TIME', 'UPDATE_TIME'],
      );
      assert.deepEqual(await checked(file), READY);
    });

    it('prints statements where the account may not, after which the line can beat', async test => {
      await using server = await requireServer(test, kind);
      if (server === null) return;
      await server.query('CREATE DATABASE shop');
      const url = await account(server, 'reader', []);
      const file = join(dir, `${kind}-printed.yaml`);
      const { code, err } = await umbus(
        ['init', '--heartbeat', '--mysql', url, '--ds', 'shop', '--out', file],
        { cwd: dir, env },
      );
      assert.equal(code, 0, err);
      const [, reason = '', printed = ''] =
        /The tables for heartbeats could not be made: (.*)\nLet somebody run:\n((?:.*\n)*)/.exec(err) ?? [];
      assert.match(reason, /denied/);
      assert.equal((await checked(file))['heartbeat table'], false);
      const statements = printed.split(/;\n/).filter(text => text.trim() !== '');
      assert.equal(statements.length, 4, printed);
      for (const statement of statements) await server.query(statement);
      assert.deepEqual(await checked(file), READY);
    });
  });
}

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { umbus } from '../support/cli/umbus.ts';
import { LineProcess } from '../support/line-process.ts';
import { requireServer } from '../support/servers.ts';
import { until } from '../support/until.ts';

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

test('masks are tried on a table, applied to a running line without a restart, refused when invalid, and taken away', async t => {
  await using server = await requireServer(t, 'mariadb');
  if (server === null) return;
  const dir = await mkdtemp(join(tmpdir(), 'umbus-masks-'));
  const file = join(dir, 'web.yaml');
  const write = (masks: string): Promise<void> =>
    writeFile(
      file,
      `ds: web
source: { url: 'mysql://${server.user}@${server.host}:${server.port}', serverId: 79, start: earliest }
schemas: { shop: { masks: { ${masks} } } }
topics: { partitions: 2 }
`,
    );
  const command = (...args: readonly string[]) => umbus([...args, '--line', file]);
  /** Name and phone of the rows published so far, in order. */
  const published = async (): Promise<readonly string[]> => {
    const { out, code, err } = await command('tail', 'web.shop.result', '--from', 'beginning', '--json');
    assert.equal(code, 0, err);
    return out
      .trim()
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line) as { payload: { tuple: unknown[] }[] })
      .flatMap(({ payload }) => payload.map(({ tuple }) => tuple.slice(5).join(' ')));
  };
  let id = 0;
  const insert = async (): Promise<void> => {
    id++;
    await server.query(`INSERT INTO shop.people VALUES (${id}, 'Ann', '0170')`);
    await until(`row ${id}`, async () => (await published()).length === id);
  };
  try {
    await server.query('CREATE DATABASE shop');
    await server.query('CREATE TABLE shop.people (id INT PRIMARY KEY, name VARCHAR(20), phone VARCHAR(20))');
    await server.query("INSERT INTO shop.people VALUES (1, 'Ann', '0170')");
    await write("'*.name': md5");

    const shown = await command('mask', 'people', '--json');
    assert.equal(shown.code, 0, shown.err);
    const sample = JSON.parse(shown.out) as { columns: unknown; rows: unknown };
    assert.deepEqual(sample.rows, [
      { plain: [1, 'Ann', '0170'], masked: [1, md5('Ann'), '0170'], problem: null },
    ]);
    assert.deepEqual(sample.columns, [
      { name: 'id', type: 'int', key: true, mask: null, personal: false },
      { name: 'name', type: 'string', key: false, mask: 'md5 (*.name)', personal: false },
      { name: 'phone', type: 'string', key: false, mask: null, personal: true },
    ]);
    const text = await command('mask', 'shop.people');
    assert.match(text.out, /phone +string +none; by its name it may hold personal data/);
    assert.match(text.out, new RegExp(`1 +name +"Ann" +"${md5('Ann')}"`));

    await using line = new LineProcess('line', file, []);
    line.start();
    await until('the first row', async () => {
      line.assertRunning();
      const { code } = await command('status');
      return code === 0 && (await published()).length === 1;
    });
    id = 1;

    await write("'*.name': md5, '*.phone': { type: replace, with: hidden }");
    const first = await command('mask', 'apply');
    assert.equal(first.code, 0, first.err);
    assert.match(first.out, /\+ shop {2}\*\.phone {2}replace with="hidden"\n.*as revision 1/s);
    await line.tells(/Masks were applied to the line/);
    await insert();

    await write("'*.name': md5, '*.phone': md5, '*.id': truncate");
    const invalid = await command('mask', 'apply');
    assert.equal(invalid.code, 3, invalid.out);
    assert.match(invalid.err, /masks\["\*\.id"\]\.length: is missing/);
    await write("'*.name': md5, '*.phone': { type: replace, with: hidden }");
    await insert();

    await write("'*.phone': { type: keep-edges, first: 1 }");
    const second = await command('mask', 'apply');
    assert.match(second.out, /- shop {2}\*\.name {2}md5/);
    assert.match(second.out, /- shop {2}\*\.phone {2}replace with="hidden"/);
    assert.match(second.out, /\+ shop {2}\*\.phone {2}keep-edges first=1.*revision 2/s);
    const again = await command('mask', 'apply');
    assert.match(again.out, /in force already, as revision 2/);
    await until('the second change to be told', () => line.told.split('Masks were applied').length === 3);
    await insert();
    assert.deepEqual(await published(), [
      `${md5('Ann')} 0170`,
      `${md5('Ann')} hidden`,
      `${md5('Ann')} hidden`,
      'Ann 0***',
    ]);
    await line.stop();

    await write("'*.phone': md5");
    const refused = await command('run');
    assert.equal(refused.code, 3, refused.err);
    assert.match(
      refused.err,
      /UMBUS_MASK_DIFFERS.*revision 2.*- shop {2}\*\.phone {2}keep-edges.*\+ shop {2}\*\.phone {2}md5/s,
    );
    await write("'*.phone': { type: keep-edges, first: 1 }");
    line.start();
    await insert();
    assert.equal((await published()).at(-1), 'Ann 0***');
    await line.stop();
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

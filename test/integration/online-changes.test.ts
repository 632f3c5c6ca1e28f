import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noticesOf } from '../support/notices.ts';
import { changesOf } from '../support/published.ts';
import { type RunningLine, startLine } from '../support/running-line.ts';
import { requireServer, type Server, serverKinds } from '../support/servers.ts';
import { assertWhole } from '../support/whole-line.ts';

async function shop(server: Server, ...statements: readonly string[]): Promise<void> {
  for (const sql of ['CREATE DATABASE IF NOT EXISTS shop', 'USE shop', ...statements])
    await server.query(sql);
}

const orders = [
  'CREATE TABLE orders (id INT PRIMARY KEY AUTO_INCREMENT, v INT, name VARCHAR(20))',
  "INSERT INTO orders (v, name) VALUES (1, 'a'), (2, 'b'), (3, 'c')",
];

/** The statements of gh-ost, with the changes of others that it follows in the binlog; `cutOver`: how the tables change places. */
const ghost = (...cutOver: readonly string[]): readonly string[] => [
  "CREATE /* gh-ost */ TABLE `shop`.`_orders_ghc` (id bigint unsigned auto_increment, hint varchar(64) charset ascii not null, value varchar(4096) charset ascii not null, primary key(id), unique key hint_uidx(hint)) auto_increment=256 comment='gh-ost-state'",
  'CREATE /* gh-ost */ TABLE `shop`.`_orders_gho` LIKE `shop`.`orders`',
  'ALTER /* gh-ost */ TABLE `shop`.`_orders_gho` ADD COLUMN note TEXT, MODIFY v BIGINT',
  'INSERT /* gh-ost `shop`.`orders` */ IGNORE INTO `shop`.`_orders_gho` (`id`, `v`, `name`) (SELECT `id`, `v`, `name` FROM `shop`.`orders` FORCE INDEX (`PRIMARY`) WHERE `id` > 0 LOCK IN SHARE MODE)',
  'UPDATE orders SET v = 20 WHERE id = 2',
  "REPLACE /* gh-ost `shop`.`_orders_gho` */ INTO `shop`.`_orders_gho` (`id`, `v`, `name`) VALUES (2, 20, 'b')",
  ...cutOver,
  'DROP /* gh-ost */ TABLE IF EXISTS `shop`.`_orders_ghc`',
  'DROP /* gh-ost */ TABLE IF EXISTS `shop`.`_orders_del`',
];

/** The statements of pt-online-schema-change: triggers keep the copy up to date. */
const percona = [
  'CREATE TABLE `shop`.`_orders_new` (`id` int NOT NULL AUTO_INCREMENT, `v` int DEFAULT NULL, `name` varchar(20) DEFAULT NULL, PRIMARY KEY (`id`))',
  'ALTER TABLE `shop`.`_orders_new` ADD COLUMN note TEXT, MODIFY v BIGINT',
  'CREATE TRIGGER `pt_osc_shop_orders_del` AFTER DELETE ON `shop`.`orders` FOR EACH ROW DELETE IGNORE FROM `shop`.`_orders_new` WHERE `shop`.`_orders_new`.`id` <=> OLD.`id`',
  'CREATE TRIGGER `pt_osc_shop_orders_upd` AFTER UPDATE ON `shop`.`orders` FOR EACH ROW REPLACE INTO `shop`.`_orders_new` (`id`, `v`, `name`) VALUES (NEW.`id`, NEW.`v`, NEW.`name`)',
  'CREATE TRIGGER `pt_osc_shop_orders_ins` AFTER INSERT ON `shop`.`orders` FOR EACH ROW REPLACE INTO `shop`.`_orders_new` (`id`, `v`, `name`) VALUES (NEW.`id`, NEW.`v`, NEW.`name`)',
  'INSERT LOW_PRIORITY IGNORE INTO `shop`.`_orders_new` (`id`, `v`, `name`) SELECT `id`, `v`, `name` FROM `shop`.`orders` LOCK IN SHARE MODE /*pt-online-schema-change 4711 copy table*/',
  'UPDATE orders SET v = 20 WHERE id = 2',
  'RENAME TABLE `shop`.`orders` TO `shop`.`_orders_old`, `shop`.`_orders_new` TO `shop`.`orders`',
  'DROP TABLE IF EXISTS `shop`.`_orders_old`',
  ...['del', 'upd', 'ins'].map(each => `DROP TRIGGER IF EXISTS \`shop\`.\`pt_osc_shop_orders_${each}\``),
];

const after = [
  "INSERT INTO orders (v, name, note) VALUES (9000000000, 'd', 'new')",
  'DELETE FROM orders WHERE id = 1',
];

const tools: readonly (readonly [name: string, statements: readonly string[], copy: string])[] = [
  [
    'gh-ost',
    ghost(
      "CREATE /* gh-ost */ TABLE `shop`.`_orders_del` (id int auto_increment primary key) comment='ghost-cut-over-sentry'",
      'DROP /* gh-ost */ TABLE IF EXISTS `shop`.`_orders_del`',
      'RENAME /* gh-ost */ TABLE `shop`.`orders` TO `shop`.`_orders_del`, `shop`.`_orders_gho` TO `shop`.`orders`',
    ),
    '_orders_gho',
  ],
  [
    'gh-ost in two steps',
    ghost(
      'ALTER /* gh-ost */ TABLE `shop`.`orders` RENAME `_orders_del`',
      'ALTER /* gh-ost */ TABLE `shop`.`_orders_gho` RENAME `orders`',
    ),
    '_orders_gho',
  ],
  ['pt-online-schema-change', percona, '_orders_new'],
];

async function assertSwapped({ log, line: { ds } }: RunningLine, copy: string): Promise<void> {
  assert.deepEqual(await changesOf(log, `${ds}.shop.result`, 'orders', 'id'), [
    'i 1',
    'i 2',
    'i 3',
    'u 2',
    'end schema',
    'i 4',
    'd 1',
  ]);
  const notices = await noticesOf(log, ds, 'shop.orders');
  assert.deepEqual(
    notices.map(({ reason, version, innerVersion, rows }) => `${reason} ${version}/${innerVersion} ${rows}`),
    ['create 0/0 kept', 'swap 1/1 kept'],
  );
  assert.equal(notices[1]?.renamedFrom, `shop.${copy}`);
  assert.deepEqual(
    notices[1]?.changes.map(change => change.kind),
    ['type', 'added'],
  );
}

for (const kind of serverKinds) {
  for (const [tool, statements, copy] of tools) {
    test(`on ${kind} the cut-over of ${tool} keeps the rows`, async t => {
      await using server = await requireServer(t, kind);
      if (server === null) return;
      // The copy and all other tables of the tool are published, or none is: both must be right.
      await using line = await startLine({
        server,
        schemas: ['shop'],
        partitions: 3,
        schema: { tables: ['orders'] },
      });
      await using all = await startLine({ server, ds: 'all', schemas: ['shop'], partitions: 3 });
      await shop(server, ...orders, ...statements, ...after);
      for (const each of [line, all]) {
        await assertWhole(each);
        await assertSwapped(each, copy);
      }
      const ends = await changesOf(all.log, 'all.shop.result', copy, 'id');
      assert.equal(ends.at(-1), 'end rename');
    });
  }

  test(`on ${kind} partitions that go or come are told, and temporary tables and views touch nothing`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    await using line = await startLine({ server, schemas: ['shop'], partitions: 2 });
    await shop(
      server,
      'CREATE TABLE parts (id INT PRIMARY KEY) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20), PARTITION p2 VALUES LESS THAN (30))',
      'CREATE TABLE other (id INT PRIMARY KEY)',
      'INSERT INTO parts VALUES (1), (11), (21)',
      'INSERT INTO other VALUES (12)',
      'ALTER TABLE parts TRUNCATE PARTITION p0',
      'ALTER TABLE parts EXCHANGE PARTITION p1 WITH TABLE other',
      'ALTER TABLE parts DROP PARTITION p0',
      'ALTER TABLE parts TRUNCATE PARTITION ALL',
      'INSERT INTO parts VALUES (22)',
      'CREATE TABLE t (id INT PRIMARY KEY)',
      'INSERT INTO t VALUES (1)',
      'CREATE TEMPORARY TABLE t (id INT)',
      'INSERT INTO t VALUES (5)',
      'TRUNCATE TABLE t',
      'ALTER TABLE t ADD v INT',
      'DROP TABLE t',
      'CREATE TEMPORARY TABLE t (id INT)',
      'DROP TEMPORARY TABLE t',
      'CREATE VIEW v AS SELECT id FROM t',
      'RENAME TABLE v TO w',
      'CREATE OR REPLACE VIEW w AS SELECT 1',
      'DROP VIEW w',
      'INSERT INTO t VALUES (2)',
      "CREATE USER 'a'@'b'",
      "RENAME USER 'a'@'b' TO 'c'@'d'",
      'ALTER DATABASE shop CHARACTER SET latin1',
    );
    await line.drained();
    const changes = (table: string) => changesOf(line.log, 'test.shop.result', table, 'id');
    assert.deepEqual(await changes('parts'), [
      'i 1',
      'i 11',
      'i 21',
      'end reload',
      'end reload',
      'end reload',
      'end truncate',
      'i 22',
    ]);
    assert.deepEqual(await changes('other'), ['i 12', 'end reload']);
    assert.deepEqual(await changes('t'), ['i 1', 'i 2']);
    assert.deepEqual(
      (await noticesOf(line.log, 'test', 'shop.parts')).map(
        ({ reason, rows, verdict }) => `${reason} ${rows} ${verdict}`,
      ),
      [
        'create kept compatible',
        'reload unknown breaking',
        'reload unknown breaking',
        'reload unknown breaking',
        'truncate gone compatible',
      ],
    );
  });
}

test('on mariadb an ALTER that is logged in two phases counts once, when it is committed', async t => {
  await using server = await requireServer(t, 'mariadb');
  if (server === null) return;
  await using line = await startLine({ server, schemas: ['shop'] });
  await shop(
    server,
    'CREATE TABLE parts (id INT PRIMARY KEY) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20))',
    'INSERT INTO parts VALUES (1), (11)',
    'SET SESSION binlog_alter_two_phase = 1',
    'ALTER TABLE parts DROP PARTITION p0',
    'ALTER TABLE parts ADD COLUMN v INT',
    'INSERT INTO parts VALUES (12, 3)',
  );
  // The second fails after it was begun.
  await assert.rejects(shop(server, 'ALTER TABLE parts ADD COLUMN v INT'));
  await shop(server, 'SET SESSION binlog_alter_two_phase = 1');
  await assert.rejects(shop(server, 'ALTER TABLE parts DROP PARTITION nowhere'));
  await line.drained();
  assert.deepEqual(await changesOf(line.log, 'test.shop.result', 'parts', 'id'), [
    'i 1',
    'i 11',
    'end reload',
    'end schema',
    'i 12',
  ]);
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { droppedSchema, type FullName, tableEffects } from '../../../src/change/table-effects.ts';

/** What a statement does to tables of `shop`, in short; its session's schema is `shop` too. */
function found(sql: string, owner = 'shop'): string[] {
  const name = (full: FullName | null): string =>
    full === null ? '-' : full.schema === owner ? full.table : `${full.schema}.${full.table}`;
  return tableEffects(sql, 'shop', owner).map(effect => {
    switch (effect.kind) {
      case 'empty':
        return `${effect.reason} ${effect.table}`;
      case 'alter':
        return `alter ${effect.table}${effect.renames.map(({ from, to }) => ` ${from}>${to}`).join('')}`;
      case 'rename':
        return `${effect.online ?? 'rename'} ${effect.table} to ${name(effect.to)} from ${name(effect.from)}`;
      default:
        return `${effect.kind} ${effect.table}`;
    }
  });
}

describe('statements that empty tables', () => {
  it('are found in every spelling', () => {
    assert.deepEqual(found('TRUNCATE TABLE t'), ['truncate t']);
    assert.deepEqual(found('truncate `shop`.`c.d`'), ['truncate c.d']);
    assert.deepEqual(found('TRUNCATE `a``b`'), ['truncate a`b']);
    assert.deepEqual(found('/* x */ TRUNCATE -- y\n TABLE # z\n shop . t WAIT 3'), ['truncate t']);
    assert.deepEqual(found('TRUNCATE/**/"shop"."t"'), ['truncate t']);
    assert.deepEqual(found('DROP TABLE IF EXISTS a, other.b , `c` CASCADE'), ['drop a', 'drop c']);
    assert.deepEqual(found('drop tables a,b'), ['drop a', 'drop b']);
    assert.deepEqual(found('DROP /*!40005 TABLE */ t'), ['drop t']);
    assert.deepEqual(found('CREATE OR REPLACE TABLE shop.t (id INT)'), ['drop t', 'create t']);
    assert.deepEqual(found('TRUNCATE TABLE été'), ['truncate été']);
    assert.deepEqual(found('ALTER TABLE t TRUNCATE PARTITION ALL'), ['truncate t', 'alter t']);
  });

  it('are not seen where there are none', () => {
    for (const sql of [
      '',
      'DROP TEMPORARY TABLE t',
      'DROP /*!40005 TEMPORARY */ TABLE IF EXISTS `t`',
      'CREATE OR REPLACE TEMPORARY TABLE t (id INT)',
      'CREATE TEMPORARY TABLE t LIKE u',
      'DROP VIEW v',
      'CREATE OR REPLACE VIEW v AS SELECT 1',
      'CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1',
      'DROP PROCEDURE p',
      'DROP INDEX i ON t',
      "INSERT INTO t VALUES ('TRUNCATE TABLE t')",
      '/* TRUNCATE TABLE t */ SELECT 1',
      'DROP TABLE',
      'DROP TABLE ,',
      'TRUNCATE table',
      "RENAME USER 'a'@'b' TO 'c'@'d'",
      'ALTER DATABASE shop CHARACTER SET latin1',
      'ALTER VIEW v AS SELECT 1',
      "ALTER USER root@localhost IDENTIFIED BY 'x'",
      'RENAME TABLE',
      'RENAME TABLE a TO',
    ]) {
      assert.deepEqual(found(sql), [], sql);
    }
  });

  it('may drop a whole schema', () => {
    assert.equal(droppedSchema('DROP SCHEMA IF EXISTS `s`'), 's');
    assert.equal(droppedSchema('drop database s'), 's');
    assert.equal(droppedSchema('DROP TABLE s'), null);
    assert.equal(droppedSchema('DROP USER s'), null);
  });
});

describe('ALTER TABLE', () => {
  it('says which columns it renames', () => {
    assert.deepEqual(found('ALTER TABLE t RENAME COLUMN a TO b, ADD c INT DEFAULT 5'), ['alter t a>b']);
    assert.deepEqual(
      found(
        "ALTER ONLINE IGNORE TABLE IF EXISTS shop.t NOWAIT ADD x SET('a,b','RENAME') , CHANGE COLUMN `a b` c INT",
      ),
      ['alter t a b>c'],
    );
    assert.deepEqual(found('ALTER TABLE t CHANGE a a BIGINT, CHANGE IF EXISTS b a2 INT'), ['alter t b>a2']);
    assert.deepEqual(
      found('ALTER TABLE t ADD COLUMN (a INT, b DECIMAL(10,2)), RENAME COLUMN c TO d, ALGORITHM=INSTANT'),
      ['alter t c>d'],
    );
    assert.deepEqual(found('alter table t rename index a to b, rename key c to d, modify e text'), [
      'alter t',
    ]);
    assert.deepEqual(found('ALTER TABLE t DROP COLUMN truncate_me, DROP PRIMARY KEY'), ['alter t']);
    assert.deepEqual(found('ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4, ENGINE=InnoDB'), ['alter t']);
  });

  it('may rename the table, also in another schema', () => {
    for (const word of ['', 'TO ', 'AS ', '= ']) {
      assert.deepEqual(found(`ALTER TABLE t ADD a INT, RENAME ${word}u`), [
        'alter t',
        'rename t to u from -',
        'rename u to - from t',
      ]);
    }
    assert.deepEqual(found('ALTER TABLE t RENAME other.u'), ['alter t', 'rename t to other.u from -']);
    assert.deepEqual(found('ALTER TABLE t RENAME other.u', 'other'), ['rename u to - from shop.t']);
  });

  it('may take rows away, or bring some, that no row event says', () => {
    assert.deepEqual(found('ALTER TABLE t DROP PARTITION p0, p1'), ['reload t', 'alter t']);
    assert.deepEqual(found('ALTER TABLE t TRUNCATE PARTITION p0'), ['reload t', 'alter t']);
    assert.deepEqual(found('ALTER TABLE t EXCHANGE PARTITION p WITH TABLE u WITHOUT VALIDATION'), [
      'reload u',
      'reload t',
      'alter t',
    ]);
    assert.deepEqual(found('ALTER TABLE t CONVERT PARTITION p TO TABLE u'), [
      'reload u',
      'reload t',
      'alter t',
    ]);
    assert.deepEqual(found('ALTER TABLE t CONVERT TABLE u TO PARTITION p VALUES LESS THAN (5)'), [
      'drop u',
      'reload t',
      'alter t',
    ]);
    assert.deepEqual(found('ALTER TABLE t IMPORT TABLESPACE'), ['reload t', 'alter t']);
    assert.deepEqual(found('ALTER TABLE t DISCARD PARTITION p TABLESPACE'), ['reload t', 'alter t']);
    assert.deepEqual(found('ALTER IGNORE TABLE t ADD CONSTRAINT c UNIQUE (a)'), ['reload t', 'alter t']);
    assert.deepEqual(found('ALTER IGNORE TABLE t ADD PRIMARY KEY (a)'), ['reload t', 'alter t']);
    assert.deepEqual(found('ALTER TABLE t ADD UNIQUE (a)'), ['alter t']);
    assert.deepEqual(found('ALTER TABLE t ADD PARTITION (PARTITION p VALUES LESS THAN (5))'), ['alter t']);
    assert.deepEqual(found('ALTER TABLE t REORGANIZE PARTITION p INTO (PARTITION q VALUES IN (1))'), [
      'alter t',
    ]);
  });
});

describe('RENAME TABLE', () => {
  it('goes step by step, and only what comes of it in the end counts', () => {
    assert.deepEqual(found('RENAME TABLE a TO b'), ['rename a to b from -', 'rename b to - from a']);
    assert.deepEqual(found('RENAME TABLES IF EXISTS a WAIT 5 TO b, c TO a'), [
      'rename a to b from c',
      'rename b to - from a',
      'rename c to a from -',
    ]);
    assert.deepEqual(found('RENAME TABLE a TO tmp, b TO a, tmp TO b'), [
      'rename a to b from b',
      'rename b to a from a',
    ]);
    assert.deepEqual(found('RENAME TABLE a TO b, b TO a'), []);
    assert.deepEqual(found('RENAME TABLE a TO b, b TO c, c TO other.d'), ['rename a to other.d from -']);
    assert.deepEqual(found('RENAME TABLE `a b` TO `c.d`'), [
      'rename a b to c.d from -',
      'rename c.d to - from a b',
    ]);
  });

  it('knows the cut-overs of tools for online changes', () => {
    for (const [ghost, old] of [
      ['_orders_gho', '_orders_del'],
      ['_orders_new', '_orders_old'],
      ['___orders_new', '___orders_old'],
      ['__osc_new_orders', '__osc_old_orders'],
      ['lhmn_orders', 'lhma_2026_11_28_17_00_00_000_orders'],
    ]) {
      assert.deepEqual(found(`RENAME TABLE shop.orders TO shop.${old}, shop.${ghost} TO shop.orders`), [
        `replaced orders to ${old} from ${ghost}`,
        `create ${old}`,
        `copy ${ghost} to orders from -`,
      ]);
    }
    assert.deepEqual(found('ALTER TABLE orders RENAME _orders_del'), [
      'alter orders',
      'aside orders to _orders_del from -',
      'create _orders_del',
    ]);
    assert.deepEqual(found('ALTER TABLE _orders_gho RENAME orders'), [
      'alter _orders_gho',
      'copy _orders_gho to orders from -',
      'replaced orders to - from _orders_gho',
    ]);
  });

  it('does not take others for them', () => {
    assert.deepEqual(found('RENAME TABLE orders TO _orders_old, _items_new TO orders'), [
      'rename orders to _orders_old from _items_new',
      'rename _orders_old to - from orders',
      'rename _items_new to orders from -',
    ]);
    // pt-online-schema-change with drop_swap: the table was dropped before.
    assert.deepEqual(found('RENAME TABLE _orders_new TO orders'), [
      'rename _orders_new to orders from -',
      'rename orders to - from _orders_new',
    ]);
    assert.deepEqual(found('RENAME TABLE orders TO other._orders_del, other._orders_gho TO orders'), [
      'rename orders to other._orders_del from other._orders_gho',
    ]);
  });
});

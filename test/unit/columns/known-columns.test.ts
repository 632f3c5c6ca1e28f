import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PassingStatements } from './fixture.ts';

const T = 'CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(10), b INT)';

const created: readonly (readonly [sql: string, columns: string])[] = [
  [T, '(id) id int !, a varchar(10) utf8mb4, b int'],
  ['CREATE TABLE t (`a``b` INT, "c" INT COMMENT \'NOT NULL, d INT\') ENGINE=InnoDB', '() a`b int, c int'],
  [
    "CREATE TABLE t (e ENUM('x','it''s','a\\\\b ','q,)') , s SET('é') CHARACTER SET latin1) DEFAULT CHARSET=gbk COMMENT='CHARSET=utf8'",
    "() e enum(x,it's,a\\b,q,)) gbk, s set(é) latin1",
  ],
  [
    'CREATE TABLE t (a INT UNSIGNED ZEROFILL NOT NULL DEFAULT 5 AUTO_INCREMENT UNIQUE KEY, b DECIMAL(5,2) DEFAULT -1.5, c BOOL, d SERIAL)',
    '() a int unsigned !, b decimal(5,2), c tinyint, d bigint unsigned !',
  ],
  [
    "CREATE TABLE t (a TIMESTAMP(3) NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3), b BIT(8) DEFAULT b'0', c DATETIME DEFAULT NOW())",
    '() a timestamp(3), b bit(8), c datetime',
  ],
  [
    'CREATE TABLE t (a INT, g INT GENERATED ALWAYS AS (a + 1) STORED NOT NULL, v VARCHAR(9) AS (concat(a, ",b INT")) VIRTUAL INVISIBLE, CHECK (a > 0), CONSTRAINT c CHECK (g < 9), KEY k (a), PRIMARY KEY USING BTREE (a DESC, g))',
    '(a,g) a int !, g int !, v varchar(9) utf8mb4',
  ],
  [
    'CREATE TABLE t (a CHAR(5) CHARACTER SET binary, b TEXT COLLATE binary, c CHARACTER VARYING(7), d DOUBLE PRECISION, e FLOAT(30), f INTEGER, p POINT NOT NULL SRID 4326)',
    '() a binary(5), b blob, c varchar(7) utf8mb4, d double, e double, f int, p point !',
  ],
  [
    'CREATE TABLE t (a INT, b INT REFERENCES x (id) ON DELETE SET NULL ON UPDATE CASCADE, FOREIGN KEY (b) REFERENCES x (id)) /*!50100 PARTITION BY HASH (a) PARTITIONS 4 */',
    '() a int, b int',
  ],
  [
    'CREATE TABLE t (a VARCHAR(9) COMPRESSED, u UUID, i INET6 /*M!100301 COMPRESSED*/)',
    '() a varchar(9) utf8mb4 compressed, u uuid, i inet6 compressed',
  ],
  [
    'CREATE TABLE t (a INT, b GEOMCOLLECTION, j JSON CHECK (json_valid(j)))',
    '() a int, b geometrycollection, j json',
  ],
  // Not understood, so nothing is known.
  ['CREATE TABLE t (a INT, b NATIONAL CHAR(5))', 'unknown'],
  ['CREATE TABLE t (a INT) WITH SYSTEM VERSIONING', 'unknown'],
  ['CREATE TABLE t (a VARCHAR(5) CHARACTER SET klingon)', 'unknown'],
  ['CREATE TABLE t (a INT SPARKLING)', 'unknown'],
  ['CREATE TABLE t (a INT', 'unknown'],
  ['CREATE TABLE t (a INT) AS SELECT 1 AS b', 'unknown'],
  ['CREATE TABLE t LIKE other_schema.x', 'unknown'],
];

for (const [sql, columns] of created) {
  test(`${sql} makes ${columns}`, () => {
    assert.equal(new PassingStatements(sql).columns('t'), columns);
  });
}

const altered: readonly (readonly [sql: string, columns: string])[] = [
  ['ALTER TABLE t ADD c INT', '(id) id int !, a varchar(10) utf8mb4, b int, c int'],
  [
    'ALTER TABLE t ADD COLUMN (c INT, d INT), ADD e INT FIRST',
    '(id) e int, id int !, a varchar(10) utf8mb4, b int, c int, d int',
  ],
  [
    'ALTER TABLE t ADD c INT AFTER id, ADD d INT AFTER c',
    '(id) id int !, c int, d int, a varchar(10) utf8mb4, b int',
  ],
  ['ALTER TABLE t CHANGE a b INT, CHANGE b a INT', '(id) id int !, b int, a int'],
  ['ALTER TABLE t CHANGE id key_ BIGINT', '(key_) key_ bigint !, a varchar(10) utf8mb4, b int'],
  ['ALTER TABLE t MODIFY b INT FIRST, DROP a', '(id) b int, id int !'],
  ['ALTER TABLE t DROP a, ADD a INT', '(id) id int !, b int, a int'],
  ['ALTER TABLE t RENAME COLUMN a TO b, RENAME COLUMN b TO a', '(id) id int !, b varchar(10) utf8mb4, a int'],
  [
    'ALTER TABLE t MODIFY a VARCHAR(10), DEFAULT CHARSET latin1',
    '(id) id int !, a varchar(10) latin1, b int',
  ],
  [
    'ALTER TABLE t CONVERT TO CHARACTER SET latin1 COLLATE latin1_bin',
    '(id) id int !, a varchar(10) latin1, b int',
  ],
  [
    'ALTER TABLE t ENGINE=InnoDB DEFAULT CHARSET=latin1, ADD c CHAR(1)',
    '(id) id int !, a varchar(10) utf8mb4, b int, c char(1) latin1',
  ],
  [
    'ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (b, id)',
    '(b,id) id int !, a varchar(10) utf8mb4, b int !',
  ],
  ['DROP INDEX `PRIMARY` ON t', '() id int !, a varchar(10) utf8mb4, b int'],
  ['ALTER TABLE t DROP ID', '() a varchar(10) utf8mb4, b int'],
  [
    'ALTER TABLE t ADD INDEX i (a), DROP KEY j, ALTER a SET DEFAULT 5, ALTER CHECK c NOT ENFORCED, ADD c INT',
    '(id) id int !, a varchar(10) utf8mb4, b int, c int',
  ],
  ['ALTER TABLE t COMMENT = "x, DROP a"', '(id) id int !, a varchar(10) utf8mb4, b int'],
  [
    'ALTER TABLE t ADD CONSTRAINT FOREIGN KEY (a) REFERENCES x (y), PARTITION BY HASH (id) PARTITIONS 2',
    '(id) id int !, a varchar(10) utf8mb4, b int',
  ],
  ['ALTER TABLE t EXCHANGE PARTITION p WITH TABLE u', '(id) id int !, a varchar(10) utf8mb4, b int'],
  [
    'ALTER TABLE t ADD COLUMN IF NOT EXISTS b CHAR(9), DROP COLUMN IF EXISTS x',
    '(id) id int !, a varchar(10) utf8mb4, b int',
  ],
  // Not understood, or not of these columns.
  ['ALTER TABLE t ADD c INT AFTER x', 'unknown'],
  ['ALTER TABLE t ADD b INT', 'unknown'],
  ['ALTER TABLE t DROP x', 'unknown'],
  ['ALTER TABLE t FROBNICATE', 'unknown'],
  ['ALTER TABLE t ADD c INT, CONVERT TO CHARACTER SET latin1', 'unknown'],
  ['ALTER TABLE t ADD SYSTEM VERSIONING', 'unknown'],
  ['FROBNICATE THE WORLD', 'unknown'],
  ['ALTER TABLE T ADD c INT', 'unknown'],
  // No definition of columns.
  ['TRUNCATE t', '(id) id int !, a varchar(10) utf8mb4, b int'],
  [
    'CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1',
    '(id) id int !, a varchar(10) utf8mb4, b int',
  ],
  ['GRANT SELECT ON t TO x', '(id) id int !, a varchar(10) utf8mb4, b int'],
  ['CREATE TABLE IF NOT EXISTS t (x INT)', '(id) id int !, a varchar(10) utf8mb4, b int'],
  ['DROP TEMPORARY TABLE t', '(id) id int !, a varchar(10) utf8mb4, b int'],
  ['DROP TABLE t, u', 'absent'],
  ['DROP DATABASE shop', 'absent'],
];

for (const [sql, columns] of altered) {
  test(`${sql} leaves ${columns}`, () => {
    assert.equal(new PassingStatements(T, sql).columns('t'), columns);
  });
}

test('tables that are swapped, chained and copied take their columns with them', () => {
  const server = new PassingStatements(
    T,
    'CREATE TABLE _t_gho (x INT)',
    'RENAME TABLE t TO _t_del, _t_gho TO t',
  );
  assert.equal(server.columns('t'), '() x int');
  assert.equal(server.columns('_t_del'), '(id) id int !, a varchar(10) utf8mb4, b int');
  server.pass(
    'CREATE TABLE u LIKE _t_del',
    'ALTER TABLE u ADD c INT, RENAME TO v',
    'RENAME TABLE shop.v TO other.v',
  );
  assert.equal(server.columns('u'), 'absent');
  assert.equal(server.columns('v'), 'absent');
  assert.equal(server.pass('RENAME TABLE other.v TO w').columns('w'), 'unknown');
});

test('a table that may have been there before is not known for being made if it does not exist', () => {
  assert.equal(new PassingStatements('CREATE TABLE IF NOT EXISTS t (x INT)').columns('t'), '() x int');
  const late = new PassingStatements('SOMETHING UNHEARD OF');
  assert.equal(late.pass('CREATE TABLE IF NOT EXISTS t (x INT)').columns('t'), 'unknown');
  assert.equal(late.pass('CREATE TABLE u (x INT)').columns('u'), '() x int');
});

test('once a temporary table had its name, no statement about a table is believed', () => {
  const server = new PassingStatements(T, 'CREATE TEMPORARY TABLE t (x INT)');
  assert.notEqual(server.columns('t'), 'unknown');
  assert.equal(server.pass('ALTER TABLE t RENAME COLUMN a TO c').columns('t'), 'unknown');
});

test('labels have question marks for what their character set does not have, as the server stores them', () => {
  const shop = new PassingStatements(
    "CREATE TABLE t (a ENUM('é','ш') CHARACTER SET koi8u, b SET('é','中') CHARACTER SET latin1, c ENUM('é😀') CHARACTER SET utf8mb3, d ENUM('日é') CHARACTER SET sjis, e ENUM('日é😀'))",
  );
  assert.equal(
    shop.columns('t'),
    '() a enum(?,ш) koi8u, b set(é,?) latin1, c enum(é?) utf8mb3, d enum(日?) sjis, e enum(日é😀) utf8mb4',
  );
  shop.pass("ALTER TABLE t DROP a, DROP b, DROP c, MODIFY e ENUM('é','[') CHARACTER SET swe7 FIRST");
  assert.equal(shop.columns('t'), '() e enum(é,?) swe7, d enum(日?) sjis');
});

test('spaces at the end of a label are left out, but for those of the character set binary', () => {
  const shop = new PassingStatements("CREATE TABLE t (a ENUM('x ','y'), b SET('x ') CHARACTER SET binary)");
  assert.equal(shop.columns('t'), '() a enum(x,y) utf8mb4, b set(x ) binary');
});

test('a table whose labels mean other text after it was converted is not known: servers keep their bytes', () => {
  const shop = new PassingStatements(
    "CREATE TABLE t (a ENUM('é') CHARACTER SET latin1)",
    "CREATE TABLE u (a SET('e') CHARACTER SET ucs2)",
    "CREATE TABLE v (a SET('e') CHARACTER SET latin1, b ENUM('é'))",
    'ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4',
    'ALTER TABLE u CONVERT TO CHARACTER SET utf8mb4',
    'ALTER TABLE v CONVERT TO CHARACTER SET utf8mb4',
  );
  assert.equal(shop.columns('t'), 'unknown');
  assert.equal(shop.columns('u'), 'unknown');
  assert.equal(shop.columns('v'), '() a set(e) utf8mb4, b enum(é) utf8mb4');
  assert.equal(shop.pass('ALTER TABLE v CONVERT TO CHARACTER SET gbk').columns('v'), 'unknown');
});

test('IF NOT EXISTS is about the columns before the statement, and those that it has named before', () => {
  const after = (clauses: string): string =>
    new PassingStatements(T, `ALTER TABLE t ${clauses}`).columns('t');
  const [id, a] = ['(id) id int !', 'a varchar(10) utf8mb4'];
  assert.equal(after('DROP b, ADD COLUMN IF NOT EXISTS b CHAR(9)'), `${id}, ${a}`);
  assert.equal(after('RENAME COLUMN b TO c, ADD COLUMN IF NOT EXISTS b CHAR(9)'), `${id}, ${a}, c int`);
  assert.equal(after('CHANGE b c INT, ADD COLUMN IF NOT EXISTS c CHAR(9)'), `${id}, ${a}, c int`);
  assert.equal(after('ADD c INT, ADD COLUMN IF NOT EXISTS c CHAR(9)'), `${id}, ${a}, b int, c int`);
});

test('a new name in ALTER TABLE that has no schema is one of the session', () => {
  const shop = new PassingStatements(T, 'ALTER TABLE shop.t RENAME u', 'CREATE TABLE t (x INT)');
  assert.equal(shop.columns('u'), '(id) id int !, a varchar(10) utf8mb4, b int');
  shop.passIn('other', 'ALTER TABLE shop.u RENAME t');
  assert.equal(shop.columns('u'), 'absent');
  assert.equal(shop.columns('t'), '() x int');
});

test('a column without a character set is not known where the default is not', () => {
  const server = new PassingStatements('ALTER DATABASE shop ENCRYPTION = "Y"', T, 'CREATE TABLE u (x INT)');
  assert.equal(server.columns('t'), 'unknown');
  assert.equal(server.columns('u'), '() x int');
});

test('what is known goes into changes and comes back from them', () => {
  const server = new PassingStatements(T, 'CREATE TABLE u (x INT)', 'DROP TABLE u');
  const changes = server.known.takeChanges();
  assert.deepEqual(
    changes.map(({ key, value }) => [key.join('.'), value !== null]),
    [
      ['shop', true],
      ['shop.t', true],
      ['shop.u', false],
    ],
  );
  assert.deepEqual(server.known.takeChanges(), []);
  const again = new PassingStatements();
  again.known.load(changes);
  assert.equal(again.columns('t'), server.columns('t'));
});

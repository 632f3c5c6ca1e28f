import fc from 'fast-check';
import type { AnyServerKind } from '../servers.ts';
import type { RandomColumn } from './columns.ts';
import { type RandomTable, randomTable } from './tables.ts';

/** Tables, and what is done to them in one session. `{file}` in a statement stands for the name of a file of its own. */
export interface RandomCase {
  /** Their CREATE statements. */
  readonly tables: readonly string[];
  /** What the session is set to before the changes. */
  readonly settings: readonly string[];
  readonly statements: readonly string[];
}

type Statement = fc.Arbitrary<readonly string[]>;

const RIDS = 30;
const rid = fc.nat(RIDS);

const written = (table: RandomTable): readonly RandomColumn[] =>
  table.columns.filter(({ values }) => values !== null);

function someValue({ values, nullable }: RandomColumn): fc.Arbitrary<string> {
  const some = values ?? fc.constant('NULL');
  return fc.oneof(
    { weight: nullable ? 1 : 0, arbitrary: fc.constant('NULL') },
    { weight: 6, arbitrary: some },
  );
}

const listOf = (table: RandomTable): string => ['rid', ...written(table).map(({ name }) => name)].join(', ');

function rowOf(table: RandomTable): fc.Arbitrary<string> {
  return fc.tuple(rid.map(String), ...written(table).map(someValue)).map(values => `(${values.join(', ')})`);
}

const where = fc.oneof(
  fc.tuple(rid, fc.nat(8)).map(([from, more]) => `rid BETWEEN ${from} AND ${from + more}`),
  fc.tuple(fc.integer({ min: 1, max: 4 }), fc.nat(3)).map(([by, rest]) => `rid % ${by} = ${rest}`),
  rid.map(id => `rid = ${id}`),
  fc.constant('TRUE'),
);
const limit = fc.constantFrom('', '', ' ORDER BY rid LIMIT 1', ' ORDER BY rid DESC LIMIT 3');

function insertOf(table: RandomTable): Statement {
  const verb = fc.constantFrom('INSERT INTO', 'INSERT IGNORE INTO', 'REPLACE INTO', 'REPLACE INTO');
  return fc
    .tuple(verb, fc.array(rowOf(table), { minLength: 1, maxLength: 4 }))
    .map(([start, rows]) => [`${start} ${table.name} (${listOf(table)}) VALUES ${rows.join(', ')}`]);
}

/** Assignments of one to three columns. */
function changeOf(table: RandomTable, prefix = ''): fc.Arbitrary<string> {
  const change = fc.oneof(
    ...written(table).map(column => someValue(column).map(value => `${prefix}${column.name} = ${value}`)),
    ...written(table)
      .filter(({ sql }) => sql.startsWith('JSON'))
      .map(({ name }) =>
        fc
          .constantFrom(
            "JSON_SET(NAME, '$.a', 5)",
            "JSON_REMOVE(NAME, '$[0]')",
            "JSON_REPLACE(NAME, '$.n', JSON_ARRAY(1.5))",
            "JSON_ARRAY_APPEND(NAME, '$', 'x')",
          )
          .map(text => `${prefix}${name} = ${text.replace('NAME', `${prefix}${name}`)}`),
      ),
    fc.integer({ min: -3, max: 40 }).map(by => `${prefix}rid = ${prefix}rid + ${by}`),
  );
  return fc.array(change, { minLength: 1, maxLength: 3 }).map(all => all.join(', '));
}

function changesOf(table: RandomTable): Statement {
  const { name } = table;
  const list = listOf(table);
  const one = (sql: fc.Arbitrary<string>): Statement => sql.map(text => [text]);
  return fc.oneof(
    { weight: 6, arbitrary: insertOf(table) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(insertOf(table), changeOf(table))
        .map(([[insert = ''], change]) => [
          `${insert.replace(/^(INSERT|REPLACE)( IGNORE)?/, 'INSERT')} ON DUPLICATE KEY UPDATE ${change}`,
        ]),
    },
    {
      weight: 6,
      arbitrary: one(
        fc
          .tuple(changeOf(table), where, limit, fc.constantFrom('', 'IGNORE '))
          .map(
            ([change, which, most, ignore]) => `UPDATE ${ignore}${name} SET ${change} WHERE ${which}${most}`,
          ),
      ),
    },
    {
      weight: 2,
      arbitrary: one(
        fc.tuple(where, limit).map(([which, most]) => `DELETE FROM ${name} WHERE ${which}${most}`),
      ),
    },
    {
      weight: 1,
      arbitrary: one(
        fc.tuple(where, fc.integer({ min: 1, max: 60 })).map(([which, by]) => {
          const from = list.replace('rid', `rid + ${by}`);
          return `INSERT IGNORE INTO ${name} (${list}) SELECT ${from} FROM ${name} WHERE ${which}`;
        }),
      ),
    },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom('REPLACE', 'IGNORE')
        .map(how => [
          `SELECT ${list} FROM ${name} ORDER BY rid INTO OUTFILE '{file}'`,
          `LOAD DATA INFILE '{file}' ${how} INTO TABLE ${name} CHARACTER SET binary (${list})`,
        ]),
    },
  );
}

function joinedOf([first, second]: readonly [RandomTable, RandomTable]): Statement {
  const on = `${first.name} JOIN ${second.name} ON ${first.name}.rid = ${second.name}.rid`;
  return fc.oneof(
    fc
      .tuple(changeOf(first, `${first.name}.`), changeOf(second, `${second.name}.`))
      .map(changes => [`UPDATE ${on} SET ${changes.join(', ')}`]),
    where.map(which => [
      `DELETE ${first.name}, ${second.name} FROM ${on} WHERE ${first.name}.${which === 'TRUE' ? 'rid > 20' : which}`,
    ]),
  );
}

const transactions: Statement = fc
  .constantFrom(
    'BEGIN',
    'BEGIN',
    'SAVEPOINT a',
    'SAVEPOINT b',
    'ROLLBACK TO a',
    'ROLLBACK TO b',
    'COMMIT',
    'ROLLBACK',
  )
  .map(sql => [sql]);

const truncate = (table: RandomTable): Statement => fc.constant([`TRUNCATE TABLE ${table.name}`]);

/** Settings that not every server has. */
const ownSettings: Readonly<Record<AnyServerKind, readonly fc.Arbitrary<string>[]>> = {
  mysql: [
    fc.constantFrom(
      "SET SESSION binlog_row_value_options = ''",
      "SET SESSION binlog_row_value_options = 'PARTIAL_JSON'",
    ),
    fc.constantFrom('OFF', 'OFF', 'ON').map(value => `SET SESSION binlog_transaction_compression = ${value}`),
  ],
  mariadb: [fc.constantFrom('OFF', 'OFF', 'ON').map(value => `SET GLOBAL log_bin_compress = ${value}`)],
  mysql56: [],
};

function settingsOf(kind: AnyServerKind, tables: readonly RandomTable[]): fc.Arbitrary<readonly string[]> {
  const keyed = tables.every(table => table.hasPrimaryKey);
  const images = keyed ? ['FULL', 'FULL', 'MINIMAL', 'NOBLOB'] : ['FULL'];
  return fc.tuple(
    fc.constantFrom(...images).map(value => `SET SESSION binlog_row_image = ${value}`),
    fc.constantFrom('+00:00', '+05:30', '-11:00').map(zone => `SET SESSION time_zone = '${zone}'`),
    ...ownSettings[kind],
  );
}

/** Random tables and random changes of them, for one kind of server. */
export function randomCase(kind: AnyServerKind): fc.Arbitrary<RandomCase> {
  return fc.tuple(randomTable(kind, 'a'), randomTable(kind, 'b')).chain(tables => {
    const statement = fc.oneof(
      { weight: 10, arbitrary: changesOf(tables[0]) },
      { weight: 5, arbitrary: changesOf(tables[1]) },
      { weight: 2, arbitrary: joinedOf(tables) },
      { weight: 4, arbitrary: transactions },
      { weight: 1, arbitrary: truncate(tables[1]) },
    );
    return fc
      .tuple(
        fc.array(insertOf(tables[0]), { minLength: 1, maxLength: 3 }),
        fc.array(statement, { minLength: 4, maxLength: 16 }),
        settingsOf(kind, tables),
      )
      .map(([inserts, changes, settings]) => ({
        tables: tables.map(({ create }) => create),
        settings,
        statements: [...inserts, ...changes].flat(),
      }));
  });
}

import fc from 'fast-check';
import type { AnyServerKind } from '../servers.ts';
import { type RandomColumn, randomColumn } from './columns.ts';

/** A random table. Its first column is `rid`, by which statements choose rows. */
export interface RandomTable {
  readonly name: string;
  readonly columns: readonly RandomColumn[];
  readonly create: string;
  readonly hasPrimaryKey: boolean;
}

const MAX_COLUMNS = 9;

interface Keys {
  /** Which columns are in the primary key, by a number that is taken modulo; -1 is `rid`. [] for none. */
  readonly primary: readonly number[];
  readonly others: readonly (readonly [unique: boolean, columns: readonly number[]])[];
}

const picks = fc.array(fc.integer({ min: -1, max: 2 * MAX_COLUMNS }), { minLength: 1, maxLength: 3 });
const keys: fc.Arbitrary<Keys> = fc.record({
  primary: fc.oneof(
    { weight: 3, arbitrary: fc.constant([-1]) },
    { weight: 3, arbitrary: picks },
    { weight: 2, arbitrary: fc.constant([]) },
  ),
  others: fc.array(fc.tuple(fc.boolean(), picks), { maxLength: 2 }),
});

/** The list of a key's parts; null when none of the columns can be in a key. */
function partsOf(picked: readonly number[], columns: readonly RandomColumn[]): string | null {
  const able = columns.filter(({ keyPart, sql }) => keyPart !== null && !/( NULL| INVISIBLE)$/.test(sql));
  const names = picked.map(pick => {
    const column = pick < 0 ? undefined : able[pick % Math.max(1, able.length)];
    return column === undefined ? 'rid' : `${column.name}${column.keyPart}`;
  });
  return [...new Set(names)].join(', ');
}

function tableOf(
  name: string,
  columns: readonly RandomColumn[],
  { primary, others }: Keys,
  engine: string,
): RandomTable {
  const parts = [
    'rid INT NOT NULL',
    ...columns.map(column => `${column.name} ${column.sql}`),
    ...(primary.length === 0 ? [] : [`PRIMARY KEY (${partsOf(primary, columns)})`]),
    ...others.map(([unique, picked]) => `${unique ? 'UNIQUE ' : ''}KEY (${partsOf(picked, columns)})`),
  ];
  return {
    name,
    columns,
    create: `CREATE TABLE ${name} (${parts.join(', ')}) ENGINE = ${engine}`,
    hasPrimaryKey: primary.length > 0,
  };
}

/** A random table of a server. */
export function randomTable(kind: AnyServerKind, name: string): fc.Arbitrary<RandomTable> {
  const engines = [
    'InnoDB',
    'InnoDB',
    'InnoDB',
    'InnoDB',
    'InnoDB',
    'InnoDB',
    'MyISAM',
    kind === 'mariadb' ? 'Aria' : 'InnoDB',
  ];
  const columns = fc
    .integer({ min: 1, max: MAX_COLUMNS })
    .chain(count => fc.tuple(...Array.from({ length: count }, (_, i) => randomColumn(kind, `c${i}`))));
  return fc
    .tuple(columns, keys, fc.constantFrom(...engines))
    .map(([made, keyed, engine]) => tableOf(name, made, keyed, engine));
}

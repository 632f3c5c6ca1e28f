import fc from 'fast-check';
import type { SchemaColumn, TableSchema } from '../../src/ums/table-schema.ts';
import type { UmsType } from '../../src/ums/types.ts';

const labels = fc.uniqueArray(fc.constantFrom('a', 'b', "it's", 'größe', ''), { minLength: 1 });
const listed = (name: string) =>
  labels.map(some => `${name}(${some.map(label => `'${label.replaceAll("'", "''")}'`).join(',')})`);

/** A type's text, the UMS type that goes with it, and the character set of a text type. */
const types: fc.Arbitrary<Pick<SchemaColumn, 'type' | 'umsType' | 'charset'>> = fc.oneof(
  of('int', 'tinyint', 'tinyint unsigned', 'smallint', 'smallint unsigned', 'mediumint', 'int'),
  of('long', 'int unsigned', 'bigint', 'bigint unsigned'),
  of('decimal', 'decimal(5,0)', 'decimal(5,2)', 'decimal(7,2)', 'decimal(7,4) unsigned', 'decimal(65,30)'),
  of('float', 'float', 'float unsigned'),
  of('double', 'double', 'double unsigned'),
  of('int', 'bit(1)', 'bit(31)'),
  of('long', 'bit(64)'),
  of('datetime', 'datetime', 'datetime(3)', 'datetime(6)', 'timestamp', 'timestamp(6)'),
  of('string', 'time', 'time(6)'),
  of('date', 'date'),
  of('int', 'year'),
  of('jsonobject', 'json'),
  of(
    'binary',
    'binary(3)',
    'binary(5)',
    'varbinary(3)',
    'varbinary(5)',
    'blob',
    'longblob',
    'geometry',
    'point',
  ),
  fc
    .tuple(
      fc.oneof(
        fc.constantFrom('char(1)', 'char(10)', 'varchar(10)', 'varchar(100)', 'tinytext', 'text', 'longtext'),
        listed('enum'),
        listed('set'),
      ),
      fc.constantFrom('latin1', 'utf8mb3', 'utf8mb4', 'ascii', 'gbk'),
    )
    .map(([type, charset]) => ({ type, umsType: 'string' as const, charset })),
);

function of(umsType: UmsType, ...texts: readonly string[]) {
  return fc.constantFrom(...texts).map(type => ({ type, umsType }));
}

/** Columns with names of a small set, so that two schemas have some in common. */
export const anyColumn: fc.Arbitrary<SchemaColumn> = fc
  .tuple(
    fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'),
    types,
    fc.boolean(),
    fc.constantFrom(undefined, undefined, 'md5', 'null'),
  )
  .map(([name, type, nullable, mask]) => ({ name, nullable, ...type, ...(mask !== undefined && { mask }) }));

/** A schema of up to eight columns with a key of some of them. */
export const anySchema: fc.Arbitrary<TableSchema> = fc
  .uniqueArray(anyColumn, { minLength: 1, selector: ({ name }) => name })
  .chain(columns =>
    fc.shuffledSubarray(columns.map(({ name }) => name)).map(primaryKey => ({ columns, primaryKey })),
  );

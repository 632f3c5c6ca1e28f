import { Buffer } from 'node:buffer';
import { ColumnType } from '../binlog/column-type.ts';
import { charsetOf, collationOf } from '../binlog/rows/collations.ts';
import type { AddressType, ColumnMap, TableMap } from '../binlog/table-map-types.ts';
import { UmbusError } from '../core/errors.ts';
import { fitsType, isSigned } from './fit-type.ts';
import type { DescribedColumn, TableColumns } from './table-columns.ts';

/** Labels are UTF-8 here, whatever the character set of their column. */
const LABEL_CHARSET = 'utf8mb4';
const ADDRESS_TYPES: ReadonlySet<string> = new Set<AddressType>(['uuid', 'inet4', 'inet6']);

/**
 * The table map as it would be with full metadata. Every column is checked against what the event says of it: type, sizes, whether it may be NULL, and the metadata
 * that it has. What the event says itself stays. Errors: UMBUS_BINLOG_COLUMNS when they do not fit; no message holds a value.
 */
export function fitTableMap(map: TableMap, described: TableColumns): TableMap {
  const { columns } = described;
  if (map.columns.length !== columns.length) {
    throw notFitting(map, `it has ${columns.length} columns, and the binlog has ${map.columns.length}`);
  }
  const fitted = map.columns.map((column, i) => {
    const definition = columns[i];
    const problem = definition === undefined ? 'is missing' : problemOf(column, definition);
    if (definition !== undefined && problem === null) return fittedColumn(column, definition);
    throw notFitting(map, `column ${i + 1}, ${definition?.name}, ${problem}`);
  });
  const primaryKey = described.primaryKey.map(name => columns.findIndex(column => column.name === name));
  // Of a table without a primary key, MariaDB's events name the first unique key that cannot be NULL.
  if (primaryKey.length === 0) return { ...map, columns: fitted, named: true };
  if (map.primaryKey !== null && map.primaryKey.join() !== primaryKey.join()) {
    throw notFitting(map, 'the primary key is another one');
  }
  return { ...map, columns: fitted, primaryKey, named: true };
}

function notFitting(map: TableMap, how: string): UmbusError {
  const table = `${map.schema}.${map.table}`;
  return new UmbusError(
    'UMBUS_BINLOG_COLUMNS',
    `The columns that ${table} is said to have do not fit its table map: ${how}.`,
    { details: { table } },
  );
}

function fittedColumn(column: ColumnMap, definition: DescribedColumn): ColumnMap {
  const { name, type, labels } = definition;
  // MySQL's JSON has none, whatever its table was converted to.
  const charset = column.type === ColumnType.JSON ? undefined : definition.charset;
  return {
    ...column,
    name,
    unsigned: isSigned(type) ? isUnsigned(definition) : null,
    collation: column.collation ?? collationFor(type, charset, labels),
    labels: column.labels ?? labels?.map(label => Buffer.from(label)) ?? null,
    ...(isAddress(type) && { address: type }),
  };
}

/** Servers hold a YEAR for unsigned, which its definition cannot say. */
function isUnsigned({ type, unsigned }: DescribedColumn): boolean {
  return unsigned === true || type === 'year';
}

function isAddress(type: string): type is AddressType {
  return ADDRESS_TYPES.has(type);
}

/** A collation that stands for the character set; null for a type that has none, and is no string of bytes. */
function collationFor(
  type: string,
  charset: string | undefined,
  labels: readonly string[] | undefined,
): number | null {
  if (labels !== undefined) return collationOf(LABEL_CHARSET);
  if (charset !== undefined) return collationOf(charset);
  if (type === 'json') return collationOf('utf8mb4');
  return isSigned(type) ? null : collationOf('binary');
}

/** How a column differs from what the event says, as the end of a sentence about it; null when it does not. */
function problemOf(column: ColumnMap, definition: DescribedColumn): string | null {
  const { type, notNull, nullable, charset, labels } = definition;
  if (!fitsType(column, definition)) {
    return `is ${typeText(definition)}, and the binlog has type code ${column.type} with metadata ${column.meta}`;
  }
  // TIMESTAMP is NOT NULL by itself, or not, as a setting of the server says.
  const mayBeNull = notNull !== true;
  if (column.nullable !== mayBeNull && (type !== 'timestamp' || nullable === true || notNull === true)) {
    return mayBeNull
      ? 'may be NULL, and in the binlog it may not'
      : 'is NOT NULL, and in the binlog it may be NULL';
  }
  if (column.name !== null && column.name !== definition.name)
    return `is called ${column.name} in the binlog`;
  if (column.unsigned !== null && isSigned(type) && column.unsigned !== isUnsigned(definition)) {
    return `is ${isUnsigned(definition) ? '' : 'not '}UNSIGNED, which the binlog does not say`;
  }
  if (column.collation !== null && charset !== undefined && charsetOf(column.collation) !== charset) {
    return `has character set ${charset}, and in the binlog ${charsetOf(column.collation) ?? 'one that is not known'}`;
  }
  if (column.labels !== null && labels !== undefined && column.labels.length !== labels.length) {
    return `has ${labels.length} labels, and in the binlog ${column.labels.length}`;
  }
  return null;
}

/** The type of a column as messages say it: name, sizes, character set. */
export function typeText({ type, sizes, charset }: DescribedColumn): string {
  const size = sizes === undefined ? '' : `(${sizes.join(',')})`;
  return `${type}${size}${charset === undefined ? '' : ` of character set ${charset}`}`;
}

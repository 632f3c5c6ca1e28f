import { ColumnType } from '../column-type.ts';
import { geometryKinds } from '../geometry-kinds.ts';
import { charsetOf, collationOf } from '../rows/collations.ts';
import type { ColumnMap } from '../table-map-types.ts';
import type { ColumnDefinition } from './result-column.ts';

const BLOBS: Readonly<Record<string, number>> = {
  tinytext: 1,
  tinyblob: 1,
  text: 2,
  blob: 2,
  mediumtext: 3,
  mediumblob: 3,
  longtext: 4,
  longblob: 4,
};
const ADDRESS_BYTES: Readonly<Record<string, number>> = { uuid: 16, inet6: 16, inet4: 4 };

/**
 * What the table map of a binlog says of a column whose values a page of a full pull has in a wider form: without it the first change behind a pull would look like a change of the columns. Undefined where the page has it as the
 * binlog does.
 */
export function shownType(column: ColumnDefinition): ColumnMap['shown'] {
  const { dataType, columnType, octets, charset } = column;
  const unsigned = /unsigned/i.test(columnType);
  switch (dataType) {
    case 'decimal':
    case 'float':
    case 'double':
      return unsigned ? { unsigned } : undefined;
    case 'enum':
    case 'set':
      return charset === null ? undefined : { charset: knownName(charset) };
    case 'json':
      return { type: ColumnType.JSON };
    case 'char':
    case 'binary':
      return octets === null ? undefined : fixed(octets);
    case 'varchar':
    case 'varbinary':
      if (octets === null) return undefined;
      return isCompressed(columnType)
        ? { type: ColumnType.VARCHAR_COMPRESSED, meta: octets + 1 }
        : { meta: octets };
    default:
      return otherType(dataType, columnType);
  }
}

function otherType(dataType: string, columnType: string): ColumnMap['shown'] {
  const blob = BLOBS[dataType];
  if (blob !== undefined)
    return { meta: blob, ...(isCompressed(columnType) && { type: ColumnType.BLOB_COMPRESSED }) };
  const address = ADDRESS_BYTES[dataType];
  if (address !== undefined) return fixed(address);
  const geometry = geometryKinds.indexOf(dataType === 'geomcollection' ? 'geometrycollection' : dataType);
  return geometry < 0 ? undefined : { geometryType: geometry };
}

/** The two highest bits of the ten of a width are kept, inverted, in the type byte of the metadata. */
function fixed(bytes: number): NonNullable<ColumnMap['shown']> {
  return {
    type: ColumnType.STRING,
    meta: ((ColumnType.STRING ^ ((bytes & 0x300) >> 4)) << 8) | (bytes & 0xff),
  };
}

/** MariaDB shows it within a comment. */
function isCompressed(columnType: string): boolean {
  return /\bCOMPRESSED\b/.test(columnType);
}

/** A character set as ids of collations name it. */
function knownName(charset: string): string {
  const id = collationOf(charset === 'utf8' ? 'utf8mb3' : charset);
  return (id === null ? null : charsetOf(id)) ?? charset;
}

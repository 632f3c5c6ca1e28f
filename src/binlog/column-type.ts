/**
 * Column type codes of TABLE_MAP events. Sources: `enum_field_types` in the MySQL source documentation (field_types.h), and
 * `MYSQL_TYPE_*_COMPRESSED` in the MariaDB knowledge base page on TABLE_MAP_EVENT.
 */
export const ColumnType = {
  DECIMAL: 0,
  TINY: 1,
  SHORT: 2,
  LONG: 3,
  FLOAT: 4,
  DOUBLE: 5,
  NULL: 6,
  TIMESTAMP: 7,
  LONGLONG: 8,
  INT24: 9,
  DATE: 10,
  TIME: 11,
  DATETIME: 12,
  YEAR: 13,
  NEWDATE: 14,
  VARCHAR: 15,
  BIT: 16,
  TIMESTAMP2: 17,
  DATETIME2: 18,
  TIME2: 19,
  TYPED_ARRAY: 20,
  /** MariaDB: COMPRESSED BLOB or TEXT. */
  BLOB_COMPRESSED: 140,
  /** MariaDB: COMPRESSED VARCHAR or VARBINARY. */
  VARCHAR_COMPRESSED: 141,
  VECTOR: 242,
  JSON: 245,
  NEWDECIMAL: 246,
  ENUM: 247,
  SET: 248,
  TINY_BLOB: 249,
  MEDIUM_BLOB: 250,
  LONG_BLOB: 251,
  BLOB: 252,
  VAR_STRING: 253,
  STRING: 254,
  GEOMETRY: 255,
  /** No type of a server: the text of a JSON value, as SELECT gives it. */
  JSON_TEXT: 1245,
} as const;

/**
 * The spatial types by their number in a table map and in WKB, in lower case as definitions have them. MySQL 8 calls the last one `geomcollection` in information_schema.
 * Source: "Supported Spatial Data Formats" of the MySQL manual.
 */
export const geometryKinds: readonly string[] = [
  'geometry',
  'point',
  'linestring',
  'polygon',
  'multipoint',
  'multilinestring',
  'multipolygon',
  'geometrycollection',
];

/** Whether a type's name in lower case is that of a spatial type. */
export function isGeometryKind(name: string): boolean {
  return name === 'geomcollection' || geometryKinds.includes(name);
}

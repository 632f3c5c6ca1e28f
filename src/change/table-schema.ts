import type { TableMap } from '../binlog/table-map-types.ts';
import type { SchemaColumn, TableSchema } from '../ums/table-schema.ts';
import type { UmsField } from '../ums/types.ts';
import { sourceType } from './source-type.ts';

/** The schema that a table map tells, with its columns as messages have them (`compileRows`), one for each column of the map. `masks`: what masks a column, in words, by its name. */
export function tableSchema(
  map: TableMap,
  { fields, primaryKey }: { readonly fields: readonly UmsField[]; readonly primaryKey: readonly string[] },
  masks: Readonly<Record<string, string>> = {},
): TableSchema {
  const columns = fields.flatMap(({ name, type, nullable }, index): SchemaColumn[] => {
    const column = map.columns[index];
    const mask = Object.hasOwn(masks, name) ? masks[name] : undefined;
    return column === undefined
      ? []
      : [{ name, umsType: type, nullable, ...sourceType(column), ...(mask !== undefined && { mask }) }];
  });
  return { columns, primaryKey };
}

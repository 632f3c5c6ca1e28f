import { assert } from '../core/assert.ts';
import type { ResultPlacing } from '../stages/append.ts';
import type { Line } from './line.ts';
import { logicalName } from './logical-tables.ts';
import { matcher } from './table-pattern.ts';

/** How the rows of a line are placed on its result topics, by schema. Throws UMBUS_INTERNAL for a schema that the line does not have. */
export function resultPlacing(line: Pick<Line, 'schemas' | 'topics'>): (schema: string) => ResultPlacing {
  const logical = logicalName(line);
  const placings = new Map(
    Object.entries(line.schemas).map(([name, { result }]) => {
      const chosen = Object.entries(result.placeColumns).map(
        ([pattern, columns]) => [matcher([pattern]), columns] as const,
      );
      const placing: ResultPlacing = {
        partitions: result.partitions ?? line.topics.partitions,
        placeBy: result.placeBy,
        columns: table => chosen.find(([matches]) => matches(logical(name, table)))?.[1] ?? null,
      };
      return [name, placing] as const;
    }),
  );
  return schema => {
    const placing = placings.get(schema);
    assert(placing !== undefined, `The line has no schema ${schema}.`);
    return placing;
  };
}

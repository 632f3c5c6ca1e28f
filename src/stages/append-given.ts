import type { RawTable } from '../change/raw-run.ts';
import { descriptionOf, type TableColumns, type UnknownColumns } from '../columns/table-columns.ts';
import { UmbusError } from '../core/errors.ts';

/** Columns that somebody has given for rows of which the binlog does not tell them for certain. */
export interface GivenColumns {
  /** Of the source: another server may use the same places again. */
  readonly epoch: number;
  /** As {@link UnknownColumns} has it. */
  readonly since: string;
  readonly columns: TableColumns;
}

/** Given columns that the state of a table holds at most. */
export const GIVEN_MAX = 16;

/** Why the columns of a table are not known at a place; null when they are, or when its table map says all. */
export function unknownOf({ columns }: RawTable): UnknownColumns | null {
  if (columns === '') return null;
  const described = descriptionOf(columns);
  return 'unknown' in described ? described.unknown : null;
}

/** What was given for a table's rows at a place; null for nothing, or when they are known without it. */
export function givenFor(
  table: RawTable,
  given: readonly GivenColumns[] | undefined,
  epoch: number,
): GivenColumns | null {
  if (given === undefined || table.columns === '') return null;
  const unknown = unknownOf(table);
  if (unknown === null) return null;
  return given.find(each => each.epoch === epoch && each.since === unknown.since) ?? null;
}

/** The list with one more at its end, in the place of what was given for the same rows before. The oldest make room. */
export function withGiven(
  before: readonly GivenColumns[] | undefined,
  added: GivenColumns,
): readonly GivenColumns[] {
  const others = (before ?? []).filter(({ epoch, since }) => epoch !== added.epoch || since !== added.since);
  return [...others, added].slice(-GIVEN_MAX);
}

/** The error of rows whose columns nobody knows: UMBUS_BINLOG_COLUMNS. */
export function unknownColumns(
  { schema, table }: Pick<RawTable, 'schema' | 'table'>,
  { since, why }: UnknownColumns,
): UmbusError {
  return new UmbusError(
    'UMBUS_BINLOG_COLUMNS',
    `The binlog does not name the columns of ${schema}.${table}, and which they are from ${since} on is not known for certain: ${why}. ` +
      '`umbus schema resolve` takes them from the source as it is now, or from a CREATE TABLE statement.',
    { details: { table: `${schema}.${table}`, since } },
  );
}

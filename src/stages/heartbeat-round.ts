import { ALL } from '../change/signal-tables.ts';
import type { BeatTarget } from '../ports/beats.ts';

/** What the rows of a round are for. */
export interface RoundOptions {
  /** The schemas of the line. */
  readonly schemas: readonly string[];
  /** One row for all tables of the line, or one for each schema. */
  readonly rows: 'line' | 'schema';
}

/** The rows of a round, however many tables there are. */
export function roundTargets({ schemas, rows }: RoundOptions): readonly BeatTarget[] {
  if (rows === 'line') return [{ schema: ALL, table: ALL }];
  return schemas.map(schema => ({ schema, table: ALL }));
}

/** Longest name that the heartbeat table takes. */
const NAME_MAX = 64;

/**
 * Tables that no heartbeat has named yet: each is named once, so that tables which nobody changes have heartbeats too. `named` is what was named since this process
 * leads; the first time all are named anew, since the appenders may have lost their memory.
 */
export function tablesToName(
  tables: readonly BeatTarget[],
  subscribed: (schema: string, table: string) => boolean,
  named: ReadonlySet<string>,
): readonly BeatTarget[] {
  return tables.filter(
    ({ schema, table }) =>
      table.length <= NAME_MAX && subscribed(schema, table) && !named.has(`${schema}.${table}`),
  );
}

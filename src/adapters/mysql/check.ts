import type { ErrorCode } from '../../core/errors.ts';

/** One thing that was looked at on a source server. */
export interface Check {
  /** What was looked at, for example `binlog_row_image` or `clock`. */
  readonly item: string;
  /** False: must change before the line runs right. `warn`: it runs, with a limit that `why` names. */
  readonly ok: boolean | 'warn';
  /** Of what fails as long as it is so; absent for nothing that has a code. */
  readonly code?: ErrorCode;
  readonly found: string;
  readonly wanted: string;
  /** What depends on it. */
  readonly why: string;
  /** SQL that mends it, without a semicolon at its end; null when nothing is wrong or no statement can mend it. */
  readonly statement: string | null;
}

/** What a line subscribes to. */
export interface Subscription {
  readonly schemas: readonly string[];
  readonly subscribed: (schema: string, table: string) => boolean;
}

/** Data source of the rows that a check writes to umbus's own tables, which no line can have as its name. */
export const PROBE_DS = 'umbus check';

/** Names for a `found` text: the first few, and how many more. */
export function listed(names: readonly string[], most = 10): string {
  if (names.length === 0) return 'none';
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}

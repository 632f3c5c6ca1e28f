import type { PullJob, ShardTask } from '../../change/pull-job.ts';
import type { PullHold } from '../../change/pull-signal.ts';
import { UmbusError } from '../../core/errors.ts';

/** Which messages of a table have to wait for its pull. */
export function holdOf({ mode }: PullJob, keyed: boolean): PullHold | null {
  if (!keyed) return 'rows';
  return mode === 'blocking' ? 'begin' : null;
}

/** Readers find out what is gone of a table without a key by taking all rows anew, which a part of them does not allow. */
export function partOfKeyless({ schema, table }: PullJob): UmbusError {
  const place = `${schema}.${table}`;
  return new UmbusError(
    'UMBUS_PULL_TABLE',
    `The table ${place} has no key, so only all of its rows can be pulled, without a condition.`,
    { details: { table: place } },
  );
}

/** Of a shard that was never read in one go, so many times. */
export function restless({ schema, table, shard, keyed, mode }: ShardTask, times: number): UmbusError {
  return new UmbusError(
    'UMBUS_PULL_CHANGED',
    keyed
      ? `Shard ${shard} of ${schema}.${table} could not be read between two watermarks ${times} times.`
      : mode === 'blocking'
        ? `The table ${schema}.${table} has no key, and ${times} times others who change it could not be held off while its rows began to be read: a transaction goes on for too long.`
        : `The table ${schema}.${table} has no key, and ${times} times it changed in the moment in which its rows began to be read. Pull it with --mode blocking, which locks it for that moment.`,
    { details: { table: `${schema}.${table}`, shard } },
  );
}

import type { StatMessage } from '../../change/stat-message.ts';
import type { Point } from '../../ports/time-series.ts';

/** Measurement of DBUS's statistics. */
export const STATISTIC_MEASUREMENT = 'dbus_statistic';
/** Its tags and fields, as DBUS writes them. */
export const statisticTags = ['type', 'ds', 'schema', 'table'] as const;
export const statisticFields = ['count', 'errorCount', 'warningCount', 'latency', 'offset'] as const;

const NANOS_PER_MS = 1_000_000;

/**
 * A statistic as the point that DBUS makes of it: `latency` in seconds, and the time of its round. `offset`: of the record on `dbus_statistic`. It tells apart, within the millisecond, what several
 * partitions say of the same round, which would take each other's place; and it is the same when the record is read again.
 */
export function statisticPoint(stat: StatMessage, offset: bigint): Point {
  const { dsName, schemaName, tableName, type, count, errorCount, warningCount, latencyMS, txTimeMS } = stat;
  const schema = `${dsName}.${schemaName}`;
  return {
    measurement: STATISTIC_MEASUREMENT,
    tags: { type, ds: dsName, schema, table: `${schema}.${tableName}` },
    fields: { count, errorCount, warningCount, latency: latencyMS / 1000, offset: stat.offset },
    atNanos: BigInt(txTimeMS) * BigInt(NANOS_PER_MS) + (offset % BigInt(NANOS_PER_MS)),
  };
}

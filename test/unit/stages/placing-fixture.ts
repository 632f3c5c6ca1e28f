/** Appenders whose rows are placed by key, and what they emit in short. */
import { readUms } from '../../../src/consumer/index.ts';
import type { AppendOutput, ResultPlacing } from '../../../src/stages/append.ts';
import type { UmsValue } from '../../../src/ums/types.ts';
import { placeOf } from '../consumer/placed-line.ts';
import { AppendDriver } from './append-fixture.ts';

/** Of the result topic. */
export const PARTITIONS = 5;

/** An appender whose rows are placed by key, or by these columns. */
export function driverOf(
  columns: readonly string[] | null = null,
  options: ConstructorParameters<typeof AppendDriver>[0] = {},
): AppendDriver {
  return new AppendDriver({ ...options, result: () => placingBy(columns) });
}

/** The placing of such an appender. */
export function placingBy(columns: readonly string[] | null = null): ResultPlacing {
  return { partitions: PARTITIONS, placeBy: 'primary-key', columns: () => columns };
}

/** Rows as `[partition, ums_id_, op, ...values]`, and `[partition, 'end', reason]`, in the order of the outputs. */
export function placedRows(driver: AppendDriver): unknown[][] {
  return driver.emitted.flatMap(({ output }) => rowsOf(output));
}

/** The same of one output. */
export function rowsOf({ partition, value }: AppendOutput): unknown[][] {
  const { protocol, schema, payload } = readUms(value);
  if (protocol.type === 'data_increment_termination') return [[partition, 'end', schema.reason]];
  return payload.map(({ tuple }) => [partition, BigInt(String(tuple[0])), tuple[2], ...tuple.slice(4)]);
}

/** The partition of these values. */
export function place(...values: readonly UmsValue[]): number {
  return placeOf(values, PARTITIONS);
}

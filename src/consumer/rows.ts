import type { UmsMessage, UmsOperation, UmsValue } from '../ums/types.ts';
import { parseNamespace, type UmsNamespace } from './namespace.ts';
import { systemFieldCount } from './read.ts';

/** A row's values by column name, without system columns. `long`, `decimal` and dates are text, as UMS has them. */
export type UmsValues = Readonly<Record<string, UmsValue>>;

/** One row of a data message. */
export interface UmsRow {
  readonly op: UmsOperation;
  /** `ums_id_`: place in the source's binlog, increasing within an epoch. */
  readonly id: bigint;
  /** `ums_uid_`: total order over the whole line, across epochs; a repeat of a row has the same. */
  readonly uid: bigint;
  /** `ums_ts_`: when the source committed the change, in the line's time zone, as text. */
  readonly ts: string;
  readonly namespace: UmsNamespace;
  /** By column name, without system columns. */
  readonly values: UmsValues;
  /** Values of the primary key in key order; null when the table has none. */
  readonly key: readonly UmsValue[] | null;
}

/**
 * The rows of a data message in order, as `readUms` has checked it; none for heartbeats and terminations. A row is made when it is
 * asked for, so a large message costs one row at a time.
 */
export function* rows(message: UmsMessage): Generator<UmsRow, void, undefined> {
  const { type } = message.protocol;
  if (type !== 'data_increment_data' && type !== 'data_initial_data') return;
  const namespace = parseNamespace(message.schema.namespace);
  const first = systemFieldCount(type);
  const names = message.schema.fields.slice(first).map(field => field.name);
  const { primaryKey } = message.schema;
  for (const { tuple } of message.payload) {
    const values = valuesOf(names, tuple, first);
    yield {
      id: BigInt(String(tuple[0])),
      ts: String(tuple[1]),
      // readUms lets only the four operations pass.
      op: tuple[2] as UmsOperation,
      uid: BigInt(String(tuple[3])),
      namespace,
      values,
      key: primaryKey === undefined ? null : primaryKey.map(name => values[name] ?? null),
    };
  }
}

// fromEntries defines own properties, so a column called `__proto__` is a column like any other.
function valuesOf(names: readonly string[], tuple: readonly UmsValue[], first: number): UmsValues {
  return Object.fromEntries(names.map((name, index) => [name, tuple[first + index] ?? null]));
}

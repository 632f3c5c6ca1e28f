import { UmbusError } from '../core/errors.ts';
import { durationMs } from './duration.ts';
import type { Serde, StoreDef, Topic } from './types.ts';

/** Options of {@link topic}; what is left out takes the default. */
export interface TopicOptions {
  /** Default 1. */
  readonly partitions?: number;
  /** `delete` (default) drops old records, `compact` keeps the newest of each key. */
  readonly cleanup?: 'delete' | 'compact';
  /** A duration such as `7d`, or milliseconds; default null: kept for ever. */
  readonly retention?: string | number | null;
  /** Bytes per partition; default null: not bounded. */
  readonly retentionBytes?: number | null;
}

const validName = /^[A-Za-z0-9._-]{1,249}$/;

function checkName(kind: string, name: string): void {
  if (validName.test(name) && name !== '.' && name !== '..') return;
  throw new UmbusError(
    'UMBUS_TOPOLOGY_INVALID',
    `The ${kind} name '${name}' is not valid: 1 to 249 letters, digits, '.', '_' and '-'.`,
  );
}

/** A topic with its types. Throws UMBUS_TOPOLOGY_INVALID for a name that no log accepts or for less than one partition. */
export function topic<K, V>(
  name: string,
  key: Serde<K>,
  value: Serde<V>,
  options: TopicOptions = {},
): Topic<K, V> {
  checkName('topic', name);
  const partitions = options.partitions ?? 1;
  if (!Number.isInteger(partitions) || partitions < 1) {
    throw new UmbusError('UMBUS_TOPOLOGY_INVALID', `The topic '${name}' needs at least 1 partition.`);
  }
  const retention = options.retention ?? null;
  return Object.freeze({
    name,
    key,
    value,
    partitions,
    cleanup: options.cleanup ?? 'delete',
    retentionMs: typeof retention === 'string' ? durationMs(retention) : retention,
    retentionBytes: options.retentionBytes ?? null,
  });
}

/**
 * A state store: for each task a map in memory, backed by a compacted changelog topic. Its name is part of that topic's name, so it is
 * unique within the topology and does not change between versions. Values are not changed in place after `set`.
 */
export function store<K, V>(name: string, key: Serde<K>, value: Serde<V>): StoreDef<K, V> {
  checkName('store', name);
  return Object.freeze({ name, key, value });
}

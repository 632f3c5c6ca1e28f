import { counter, gauge, histogram } from './spec.ts';

/** What a topology at work in a process says of itself. `topic` and `partition` are those of its inputs. */
export const topologyMetrics = {
  up: gauge(
    'umbus_topology_up',
    '',
    'Whether the topology runs: 1, or 0 while it waits to begin again, stops or has failed.',
    ['topology'],
  ),
  tasks: gauge('umbus_topology_tasks', 'tasks', 'Tasks of the topology in this process.', ['topology']),
  records: counter(
    'umbus_topology_records_total',
    'records',
    'Records read from the log or the source, repeats included.',
    ['topology'],
  ),
  duplicates: counter(
    'umbus_topology_duplicate_records_total',
    'records',
    'Records that were processed before and are dropped.',
    ['topology'],
  ),
  filtered: counter(
    'umbus_topology_filtered_records_total',
    'records',
    'Records not let through by a filter or a branch.',
    ['topology'],
  ),
  skipped: counter(
    'umbus_topology_skipped_records_total',
    'records',
    'Records dropped by the error policy skip.',
    ['topology'],
  ),
  parked: counter('umbus_topology_parked_records_total', 'records', 'Dead letters written.', ['topology']),
  outputs: counter(
    'umbus_topology_output_records_total',
    'records',
    'Records written, changelogs of stores included.',
    ['topology'],
  ),
  outputBytes: counter('umbus_topology_output_bytes_total', 'bytes', 'Bytes of keys and values written.', [
    'topology',
  ]),
  commits: counter('umbus_topology_commits_total', 'commits', 'Commits that became durable.', ['topology']),
  commitSeconds: histogram(
    'umbus_topology_commit_duration_seconds',
    'seconds',
    'Time from the call of a commit until it is durable.',
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    ['topology'],
  ),
  restarts: counter(
    'umbus_topology_restarts_total',
    'restarts',
    'Times that a group of tasks began again, or the source was opened again.',
    ['topology'],
  ),
  rebalances: counter(
    'umbus_topology_rebalances_total',
    'rebalances',
    'Times that partitions came (assigned), were handed over (revoked) or were gone (lost).',
    ['topology', 'change'],
  ),
  lagRecords: gauge(
    'umbus_topology_lag_records',
    'records',
    'Records between what the task has processed and the end of its input.',
    ['topology', 'topic', 'partition'],
  ),
  lagSeconds: gauge(
    'umbus_topology_lag_seconds',
    'seconds',
    'Age of the record processed last while there are more to read, else 0.',
    ['topology', 'topic', 'partition'],
  ),
  storeKeys: gauge('umbus_topology_store_keys', 'keys', 'Keys in a store, over the tasks of this process.', [
    'topology',
    'store',
  ]),
} as const;

/** Pulls, their shards and a source, as tests of pulls need them. */

import type { PullJob, ShardTask } from '../../src/change/pull-job.ts';
import { pageTable } from '../../src/change/pull-page.ts';
import type { PullSource, PullTable } from '../../src/ports/pull-source.ts';

/** The pull `p` of all rows of `shop.t`, but for what is said. */
export function pullJob(more: Partial<PullJob> = {}): PullJob {
  return {
    pull: 'p',
    schema: 'shop',
    table: 't',
    condition: null,
    splitBy: [],
    columns: [],
    mode: 'watermark',
    to: null,
    shardRows: 1000,
    askedMs: 0,
    ...more,
  };
}

/** A shard of {@link pullJob}: the only one, but for what is said. */
export function shardTask(more: Partial<ShardTask> = {}): ShardTask {
  const range = { after: null, upTo: null, cutBy: '', keyed: true } as const;
  return { ...pullJob(more), ...range, kind: 'shard', shard: 0, ...more };
}

/** `shop.t` with a key and without rows, but for what is said. */
export function pulledTable(more: Partial<PullTable> = {}): PullTable {
  return {
    schema: 'shop',
    table: 't',
    rowsEstimate: 0,
    cutBy: '',
    keyed: true,
    page: pageTable('shop', 't', { columns: [], primaryKey: [] }),
    present: null,
    check: async () => {},
    boundary: async () => null,
    read: async () => ({ page: async () => null, ...disposable }),
    ...more,
  };
}

/** A source of one table, which takes watermarks as `signal` does. */
export function pulledSource(table: PullTable, signal: PullSource['signal']): PullSource {
  return {
    table: async () => table,
    reached: async () => {},
    quiet: (_schema, _table, work) => work(),
    signal,
    ...disposable,
  };
}

/** Of what has nothing to let go. */
export const disposable: AsyncDisposable = { [Symbol.asyncDispose]: async () => {} };

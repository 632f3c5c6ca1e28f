import { defineTopology, trusted } from '../src/topology/definition.ts';
import type { PullConfig } from './splitter.ts';
import { shardsTopic } from './topics.ts';

/** Shards that a process takes at a time; how many of them it reads at a time, the line says. */
const TAKEN = 16;
/** About what a shard's record takes. */
const SHARD_RECORD_BYTES = 400;

/**
 * `<ds>_data_shards` → pages on `<ds>.<schema>`: reads some shards at a time. What it gives back when it stops goes to the end of the shards. How far a shard is,
 * the appender knows, so one that is taken twice is read once.
 */
export const puller = defineTopology({
  name: 'puller',
  version: 1,
  config: trusted<PullConfig>(),
  commit: { maxBytes: TAKEN * SHARD_RECORD_BYTES },
  onError: { decode: 'skip' },
  build(t, config) {
    const shards = shardsTopic(config);
    t.source('shards', shards)
      .mapAsync('pull', (task, signal) => config.pulls.pull(task, signal), {
        inFlight: TAKEN,
        order: 'none',
      })
      .flatMap('back', step => step.shards)
      .to('again', shards, { back: true });
  },
});

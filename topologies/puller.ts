import type { ShardTask } from '../src/change/pull-job.ts';
import { defineTopology, trusted } from '../src/topology/definition.ts';
import { json, utf8 } from '../src/topology/serdes.ts';
import { store } from '../src/topology/topic.ts';
import { pastGate } from './pull-gate.ts';
import type { PullConfig } from './splitter.ts';
import { shardsTopic } from './topics.ts';

/** Shards that a process takes at a time; how many of them it reads at a time, the line says. */
const TAKEN = 16;
/** About what a shard's record takes. */
const SHARD_RECORD_BYTES = 400;

/** Shards of pulls that are paused, by pull and shard. */
export const pausedShards = store('paused', utf8, json<ShardTask>());

const partition = ({ shard }: ShardTask, partitions: number): number => shard % partitions;

/**
 * `<ds>_data_shards` → pages on `<ds>.<schema>`: reads some shards at a time. What it gives back when it stops, or when other processes are to have some of its partitions, goes to the end of the shards. How far a shard is,
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
    pastGate(t.source('shards', shards), config.pulls, {
      waiting: pausedShards,
      nameOf: ({ pull, shard }) => `${pull}/${shard}`,
      topic: shards,
      partition,
    })
      .mapAsync('pull', (task, signal, leaving) => config.pulls.pull(task, signal, leaving), {
        inFlight: TAKEN,
        order: 'none',
      })
      .flatMap('back', step => step.shards)
      .to('again', shards, {
        back: true,
        partition: (task, _key, partitions) => partition(task, partitions),
      });
  },
});

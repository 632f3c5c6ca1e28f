import type { PullWorker } from '../src/adapters/pull/pull-worker.ts';
import { pullJobOf, type SplitTask } from '../src/change/pull-job.ts';
import { defineTopology, trusted } from '../src/topology/definition.ts';
import { json, utf8 } from '../src/topology/serdes.ts';
import { store } from '../src/topology/topic.ts';
import { pastGate } from './pull-gate.ts';
import { controlTopic, shardsTopic, splitsTopic, type TopicSettings } from './topics.ts';

/** Part of a line that splitter and puller need, and who does the work. */
export type PullConfig = TopicSettings & { readonly pulls: Pick<PullWorker, 'split' | 'pull' | 'isPaused'> };

/** Pulls that were accepted, by name: a request that comes twice is one pull. */
const acceptedStore = store('accepted', utf8, json<{ readonly askedMs: number }>());

/** Steps of pulls that are paused, by pull. */
export const pausedSplits = store('paused', utf8, json<SplitTask>());

/**
 * `<ds>_ctrl` → `<ds>_data_shards`: requests for full pulls cut into shards, some at a time: a step leaves the next one to itself on `<ds>_splits`, so shards are read while a large table is still cut.
 */
export const splitter = defineTopology({
  name: 'splitter',
  version: 1,
  config: trusted<PullConfig>(),
  // Where a table was cut is known by the record of the next step: that, and the shards before it, are written together or not at all.
  guarantee: 'exactly-once',
  commit: { maxBytes: 1 },
  onError: { decode: 'skip', process: 'skip' },
  build(t, config) {
    const shards = shardsTopic(config);
    const splits = splitsTopic(config);
    const steps = pastGate(t.source('splits', splits), config.pulls, {
      waiting: pausedSplits,
      nameOf: ({ pull }) => pull,
      topic: splits,
      partition: () => 0,
    }).mapAsync('split', (task, signal, leaving) => config.pulls.split(task, signal, leaving), {
      inFlight: 1,
      order: 'partition',
    });
    steps
      .flatMap('cut', step => step.shards)
      .to('shards', shards, { partition: (task, _key, partitions) => task.shard % partitions });
    steps
      .flatMap('rest', step => (step.split === null ? [] : [step.split]))
      .to('next', splits, { back: true });
    t.source('requests', controlTopic(config))
      .process<string, SplitTask, { accepted: typeof acceptedStore }>(
        'accept',
        { accepted: acceptedStore },
        () => ({
          on: (record, context, emit) => {
            const job = pullJobOf(record.value);
            if (job === null || context.stores.accepted.get(job.pull) !== undefined) return;
            context.stores.accepted.set(job.pull, { askedMs: job.askedMs });
            emit(job.pull, { ...job, kind: 'split', after: null, cutBy: null, shard: 0 });
          },
        }),
      )
      .to('accepted', splits, { back: true });
  },
});

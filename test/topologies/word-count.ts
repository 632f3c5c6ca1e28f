import { defineTopology, trusted } from '../../src/topology/definition.ts';
import { int32, json, utf8 } from '../../src/topology/serdes.ts';
import { store, topic } from '../../src/topology/topic.ts';
import type { Processor } from '../../src/topology/types.ts';

/** Lines, as a producer outside writes them. */
export const lines = topic('lines', utf8, utf8, { partitions: 3 });
/** Words by hash of the word. */
export const words = topic('words', utf8, int32, { partitions: 3 });
/** Each count as it becomes known. */
export const counts = topic('counts', utf8, json<{ readonly word: string; readonly count: number }>(), {
  partitions: 3,
});
/** Counts by word. */
export const countStore = store('counts', utf8, int32);

function counter(): Processor<
  string,
  number,
  string,
  { word: string; count: number },
  { counts: typeof countStore }
> {
  return {
    on({ key, value }, { stores }, emit) {
      const count = (stores.counts.get(key) ?? 0) + value;
      stores.counts.set(key, count);
      emit(key, { word: key, count });
    },
  };
}

/** Splits lines, sends each word to the task of its hash, counts there. */
export const wordCount = defineTopology({
  name: 'word-count',
  version: 1,
  config: trusted<Record<never, never>>(),
  build(t) {
    t.source('lines', lines)
      .flatMap('split', line => line.split(' ').filter(word => word !== ''))
      .key('by-word', word => word)
      .map('one', () => 1)
      .repartition('words', words)
      .process('count', { counts: countStore }, counter)
      .to('counts', counts);
  },
});

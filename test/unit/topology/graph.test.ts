import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildTopology } from '../../../src/topology/build.ts';
import { defineTopology, type TopologyOptions, trusted } from '../../../src/topology/definition.ts';
import { int32, utf8 } from '../../../src/topology/serdes.ts';
import type { Builder } from '../../../src/topology/stream.ts';
import { store, topic } from '../../../src/topology/topic.ts';
import type { ExternalSource } from '../../../src/topology/types.ts';

const a = topic('a', utf8, utf8);
const b = topic('b', utf8, utf8, { partitions: 2 });
const seen = store('seen', utf8, int32);
const external: ExternalSource<string, string, string> = {
  resumeFrom: a,
  open: async () => {
    throw new Error('a build opens nothing');
  },
};
const pass = () => ({ on: () => {} });

function build(wire: (t: Builder) => void, options: Partial<TopologyOptions<null>> = {}) {
  return buildTopology(
    defineTopology({ name: 'test', version: 1, config: trusted<null>(), ...options, build: wire }),
    null,
  );
}

const mistakes: Readonly<
  Record<string, readonly [(t: Builder) => void, RegExp, Partial<TopologyOptions<null>>?]>
> = {
  'no stage at all': [() => {}, /has no stages/],
  'a stage without a name': [t => t.source('', a), /has no name/],
  'two stages of one name': [t => t.source('one', a).map('one', v => v), /two stages are named 'one'/],
  'a control named as a stage': [
    t => {
      t.source('one', a);
      t.control('one', topic('ctrl', utf8, utf8), () => {});
    },
    /two stages are named 'one'/,
  ],
  'topics of one source that differ in partitions': [
    t => t.source('both', [a, b]),
    /'both'.*'a' has 1 and 'b' has 2/,
  ],
  'topics that share a store but differ in partitions': [
    t => {
      t.source('one', a).process('count-one', { seen }, pass);
      t.source('two', b).process('count-two', { seen }, pass);
    },
    /'two' needs topics with equal partition counts/,
  ],
  'a store that is defined twice': [
    t => {
      const source = t.source('one', a);
      source.process('first', { seen }, pass);
      source.process('second', { seen: store('seen', utf8, utf8) }, pass);
    },
    /'second' defines the store 'seen' anew/,
  ],
  'a topic that is read twice': [
    t => {
      t.source('one', a);
      t.source('two', a);
    },
    /'one' and 'two' both read 'a'/,
  ],
  'a cycle through a topic': [
    t => t.source('in', a).to('back', a),
    /'back' writes to 'a', which the stage 'in' reads/,
  ],
  'one topic in two shapes': [
    t => {
      const source = t.source('in', a);
      source.to('first', topic('out', utf8, utf8));
      source.to('second', topic('out', utf8, utf8, { partitions: 3 }));
    },
    /'first' and 'second' give 'out' 1 and 3 partitions/,
  ],
  'a source without topics': [t => t.source('in', []), /'in' reads no topic/],
  'a store after an external source': [
    t => t.external('db', external).process('count', { seen }, pass),
    /'count' has stores/,
  ],
  'mapAsync after an external source': [
    t => t.external('db', external).mapAsync('later', async v => v, { inFlight: 1, order: 'none' }),
    /'later' is asynchronous/,
  ],
  'mapAsync without a bound': [
    t => t.source('in', a).mapAsync('later', async v => v, { inFlight: 0, order: 'none' }),
    /'later' needs an inFlight/,
  ],
  'a dead-letter policy without a topic': [
    t => t.source('in', a),
    /onError.process asks for 'dead-letter'/,
    { onError: { process: 'dead-letter' } },
  ],
  'a dead-letter source without a topic': [
    t => t.source('in', a, { onError: { policy: 'dead-letter', retries: 1 } }),
    /'in' asks for 'dead-letter'/,
  ],
  'a config cell that is read inside build': [
    t => void t.watch('rules', '/rules', utf8).value,
    /'rules' was read before the start/,
  ],
};

for (const [name, [wire, problem, options]] of Object.entries(mistakes)) {
  test(`refuses ${name}, naming the place`, () => {
    assert.throws(
      () => build(wire, options),
      (error: Error & { code: string }) => {
        assert.equal(error.code, 'UMBUS_TOPOLOGY_INVALID');
        assert.match(error.message, problem);
        assert.match(error.message, /^Topology 'test': /);
        return true;
      },
    );
  });
}

test('what is connected runs in the same tasks, what is not runs apart', () => {
  const graph = build(t => {
    t.source('one', b)
      .repartition('mid', topic('mid', utf8, utf8, { partitions: 4 }))
      .to('out', a);
    t.source('two', topic('c', utf8, utf8));
    t.source('left', topic('left', utf8, utf8)).process('join-left', { seen }, pass);
    t.source('right', topic('right', utf8, utf8)).process('join-right', { seen }, pass);
  });
  const groups = graph.groups.map(({ suffix, partitions, topics }) => ({
    suffix,
    partitions,
    topics: topics.map(t => t.name),
  }));
  assert.deepEqual(groups, [
    { suffix: '', partitions: 2, topics: ['b'] },
    { suffix: 'mid-read', partitions: 4, topics: ['mid'] },
    { suffix: 'two', partitions: 1, topics: ['c'] },
    { suffix: 'left', partitions: 1, topics: ['left', 'right'] },
  ]);
});

test('a dangling branch and an unused stream are allowed, and the graph is frozen', () => {
  const graph = build(t => {
    t.source('in', a)
      .branch('split', { x: v => v === 'x', rest: () => true })
      .x.map('up', v => v);
  });
  assert.ok(Object.isFrozen(graph) && Object.isFrozen(graph.stages) && Object.isFrozen(graph.stages[0]));
});

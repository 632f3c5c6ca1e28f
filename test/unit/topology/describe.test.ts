import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineTopology, trusted } from '../../../src/topology/definition.ts';
import { describe, describeTopology } from '../../../src/topology/describe.ts';
import { int32, json, utf8 } from '../../../src/topology/serdes.ts';
import { store, topic } from '../../../src/topology/topic.ts';

const versions = store('versions', utf8, int32);

const sample = defineTopology({
  name: 'sample',
  version: 3,
  config: trusted<{ ds: string }>(),
  deadLetter: ({ ds }) => `${ds}_dead`,
  build(t, { ds }) {
    t.control('ctrl', topic(`${ds}_ctrl`, utf8, utf8), () => {});
    t.watch('rules', '/rules', utf8, { initial: '' });
    const { control, data } = t
      .source('first-level', topic(ds, utf8, utf8))
      .branch('kind', { control: v => v.startsWith('!'), data: () => true });
    control.to('control', topic(`${ds}.control`, utf8, utf8));
    data
      .key('by-table', v => v)
      .repartition('by-key', topic(`${ds}.keyed`, utf8, utf8, { partitions: 2 }))
      .process<string, string, { versions: typeof versions }>('version', { versions }, () => ({
        on: (r, _, emit) => emit(r.key, r.value),
      }))
      .to('result', v => topic(v, utf8, utf8), { topics: [topic('y', utf8, utf8), topic('x', utf8, utf8)] });
    t.source('other', topic('other', utf8, json<string>())).to('anywhere', v =>
      topic(v, utf8, json<string>()),
    );
  },
});

test('describes as stable text, one line a stage', () => {
  assert.equal(
    describe(sample, { ds: 'shop' }),
    `topology sample v3  guarantee=effectively-once  dead-letter=shop_dead
  control  ctrl  <- shop_ctrl
  watch  rules  <- /rules
  task group 0  tasks=1
    source  first-level  <- shop
    branch  kind         -> control | data
    sink    control      -> shop.control  (after kind.control)
    key     by-table       (after kind.data)
    sink    by-key       -> shop.keyed
  task group 1  tasks=2
    source   by-key-read  <- shop.keyed
    process  version      stores=versions
    sink     result       -> {x, y}
  task group 2  tasks=1
    source  other     <- other
    sink    anywhere  -> (chosen by value)
`,
  );
});

test('describes as JSON that says the same', () => {
  const parsed: unknown = JSON.parse(describe(sample, { ds: 'shop' }, 'json'));
  assert.deepEqual(parsed, describeTopology(sample, { ds: 'shop' }));
});

test('describes as a Mermaid flowchart with every stage and topic once', () => {
  const text = describe(sample, { ds: 'shop' }, 'mermaid');
  assert.match(text, /^flowchart LR\n/);
  for (const name of [
    'source: first-level',
    'branch: kind',
    'sink: result',
    'shop.keyed',
    '(chosen by value)',
  ]) {
    assert.equal(text.split(`"${name}"`).length, 2, name);
  }
  assert.match(text, /-->\|"control"\|/);
  const ids = new Set([...text.matchAll(/^ {2,4}([st]\d+)[[(]/gm)].map(match => match[1]));
  for (const match of text.matchAll(/([st]\d+) -->(?:\|[^|]*\|)? ([st]\d+)/g)) {
    assert.ok(ids.has(match[1]) && ids.has(match[2]), `edge between unknown nodes: ${match[0]}`);
  }
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMetrics } from '../../../src/adapters/telemetry/prom-metrics.ts';
import { gathered } from '../../../src/ports/metrics.ts';
import { counter, gauge, histogram } from '../../../src/telemetry/metrics/spec.ts';

const seen = counter('umbus_test_seen_total', 'seen', 'Seen.', ['kind']);
const level = gauge('umbus_test_level_bytes', 'bytes', 'Level.', ['topic']);
const plain = gauge('umbus_test_plain_bytes', 'bytes', 'Plain.');
const rows = counter('umbus_test_rows_total', 'rows', 'Rows.');
const spent = histogram('umbus_test_spent_seconds', 'seconds', 'Spent.', [0.1, 1], ['topology']);
const specs = [seen, level, plain, rows, spent];

function metricsOf() {
  return createMetrics(specs, { ds: 'shop' });
}

describe('metrics in prom-client', () => {
  it('give what was told and gathered, with the labels of all', async () => {
    const metrics = metricsOf();
    metrics.add(seen, { kind: 'a' });
    metrics.add(seen, { kind: 'a' }, 2);
    metrics.gather(() => [gathered(level, { topic: 't' }, 7), gathered(rows, {}, 12)]);
    const samples = await metrics.read();
    assert.deepEqual(
      samples.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      [
        { name: 'umbus_test_level_bytes', labels: { topic: 't', ds: 'shop' }, value: 7 },
        { name: 'umbus_test_rows_total', labels: { ds: 'shop' }, value: 12 },
        { name: 'umbus_test_seen_total', labels: { kind: 'a', ds: 'shop' }, value: 3 },
      ],
    );
  });

  it('show no value that nobody measured, not even 0', async () => {
    const metrics = metricsOf();
    assert.deepEqual(await metrics.read(), []);
    assert.equal((await metrics.exposition()).text.trim(), '');
    let there = true;
    metrics.gather(() => (there ? [gathered(plain, {}, 3)] : []));
    assert.equal((await metrics.read()).length, 1);
    there = false;
    assert.deepEqual(await metrics.read(), []);
  });

  it('do not add up what is gathered twice, and forget what is not gathered any more', async () => {
    const metrics = metricsOf();
    let topics = ['a', 'b'];
    const gathering = metrics.gather(() => [
      ...topics.map(topic => gathered(level, { topic }, 1)),
      gathered(rows, {}, 5),
    ]);
    await metrics.read();
    topics = ['b'];
    const [first, second] = await Promise.all([metrics.read(), metrics.read()]);
    assert.deepEqual(first, second);
    assert.deepEqual(
      first.map(({ labels, value }) => [labels['topic'], value]),
      [
        ['b', 1],
        [undefined, 5],
      ],
    );
    gathering[Symbol.dispose]();
    assert.deepEqual(await metrics.read(), []);
  });

  it('take several sources for one metric', async () => {
    const metrics = metricsOf();
    for (const topic of ['a', 'b']) metrics.gather(() => [gathered(level, { topic }, 1)]);
    assert.deepEqual(
      (await metrics.read()).map(({ labels }) => labels['topic']),
      ['a', 'b'],
    );
  });

  it('write the text format, with labels escaped', async () => {
    const metrics = metricsOf();
    metrics.observe(spent, { topology: 'x' }, 0.5);
    metrics.gather(() => [gathered(level, { topic: 'a"b\\c\nd' }, 1)]);
    const { contentType, text } = await metrics.exposition();
    assert.equal(contentType, 'text/plain; version=0.0.4; charset=utf-8');
    assert.match(
      text,
      /^# HELP umbus_test_spent_seconds Spent\.\n# TYPE umbus_test_spent_seconds histogram$/m,
    );
    assert.match(text, /^umbus_test_spent_seconds_bucket\{le="0\.1",ds="shop",topology="x"\} 0$/m);
    assert.match(text, /^umbus_test_spent_seconds_bucket\{le="1",ds="shop",topology="x"\} 1$/m);
    assert.match(text, /^umbus_test_spent_seconds_sum\{ds="shop",topology="x"\} 0\.5$/m);
    assert.match(text, /^umbus_test_level_bytes\{topic="a\\"b\\\\c\\nd",ds="shop"\} 1$/m);
  });

  it('refuse a metric that is both told and gathered, and one that is not theirs', async () => {
    const metrics = metricsOf();
    metrics.add(rows, {});
    const gathering = metrics.gather(() => [gathered(rows, {}, 1)]);
    await assert.rejects(metrics.read(), /both told and gathered/);
    gathering[Symbol.dispose]();
    assert.throws(() => metrics.add(counter('umbus_test_other_total', 'other', 'Other.'), {}), /no counter/);
  });
});

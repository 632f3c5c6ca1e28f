import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { allMetrics, LINE_LABEL } from '../../../src/telemetry/metrics/catalogue.ts';
import { metricsMarkdown } from '../../../src/telemetry/metrics/reference.ts';
import { readDocument } from '../docs/markdown.ts';

const BEGIN = '<!-- metrics:begin -->';
const END = '<!-- metrics:end -->';

/** Labels that any metric may have: each takes a number of values that the line or the code bounds. */
const boundedLabels: ReadonlySet<string> = new Set([
  'change',
  'hop',
  'kind',
  'mode',
  'node',
  'op',
  'partition',
  'stat',
  'state',
  'store',
  'table',
  'topic',
  'topology',
  'version',
]);

describe('the catalogue of metrics', () => {
  it('names each metric once, as umbus_<component>_<noun>_<unit>, counters with _total', () => {
    const names = allMetrics.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    for (const { name, kind, unit } of allMetrics) {
      assert.match(name, /^umbus_[a-z]+(_[a-z]+)*$/);
      const base = name.replace(/_total$/, '');
      assert.equal(name.endsWith('_total'), kind === 'counter', name);
      if (unit !== '') assert.ok(base.endsWith(`_${unit}`), `${name} does not end in ${unit}`);
    }
  });

  it('gives each metric a sentence and labels that are bounded', () => {
    for (const { name, help, labels } of allMetrics) {
      assert.match(help, /^[A-Z].*\.$/s, name);
      for (const label of labels) assert.ok(boundedLabels.has(label), `${name}: ${label}`);
      assert.ok(!labels.includes(LINE_LABEL as never), name);
    }
  });

  it('has buckets that grow', () => {
    for (const metric of allMetrics) {
      if (metric.kind !== 'histogram') continue;
      assert.deepEqual(
        [...metric.buckets].sort((a, b) => a - b),
        [...new Set(metric.buckets)],
        metric.name,
      );
    }
  });

  it('is in README; UMBUS_UPDATE_DOCS=1 node --test test/unit/telemetry/catalogue.test.ts writes it anew', () => {
    const readme = readDocument('README.md');
    const from = readme.indexOf(BEGIN) + BEGIN.length;
    const to = readme.indexOf(END);
    assert.ok(from >= BEGIN.length && to > from, 'README has the markers of the metrics');
    const renewed = `${readme.slice(0, from)}\n${metricsMarkdown()}\n${readme.slice(to)}`;
    if (process.env['UMBUS_UPDATE_DOCS'] === '1')
      writeFileSync(new URL('../../../README.md', import.meta.url), renewed);
    else assert.equal(readme, renewed);
  });
});

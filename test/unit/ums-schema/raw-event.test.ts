import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { RAW_RUN_SCHEMA_ID, rawRunSchema } from '../../../src/change/raw-run.ts';

const folder = new URL('../../../ums-schema/', import.meta.url);

function withoutDocs(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDocs);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== 'doc')
      .map(([name, member]) => [name, withoutDocs(member)]),
  );
}

test('the Avro schema in the code is the published one without its explanations', () => {
  const published: unknown = JSON.parse(readFileSync(new URL('raw-event.avsc', folder), 'utf8'));
  assert.deepEqual(withoutDocs(published), rawRunSchema);
  assert.notDeepEqual(published, rawRunSchema);
});

test('the schema id in the code is the one the README fixes', () => {
  const readme = readFileSync(new URL('README.md', folder), 'utf8');
  assert.match(readme, new RegExp(`\\| ${RAW_RUN_SCHEMA_ID} \\| \`raw-event.avsc\``));
});

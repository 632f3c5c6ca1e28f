import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { withReference } from '../../../src/cli/commands/reference.ts';

const readme = join(import.meta.dirname, '../../../README.md');

it('README holds the current configuration reference; `umbus reference --write README.md` renews it', () => {
  const text = readFileSync(readme, 'utf8');
  assert.notEqual(withReference(text), null, 'README.md lacks the markers of the configuration reference.');
  assert.equal(withReference(text), text);
});

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

test('all that was written is with its reader before the process is ended', async () => {
  const module = new URL('../../../src/cli/terminal.ts', import.meta.url).href;
  const script = `const { written } = await import('${module}'); process.stdout.write('x'.repeat(1_000_000)); await written(); process.exit(0);`;
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    maxBuffer: 2_000_000,
  });
  assert.equal((await run).stdout.length, 1_000_000);
});

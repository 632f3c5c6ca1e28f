/**
 * The whole test suite, as `npm test` runs it: format and lint, types, then every test file of every ring. Arguments name files or
 * folders to run instead of all of them. Stops at the first step that fails, with its exit code.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { resolve } from 'node:path';

interface Step {
  readonly title: string;
  readonly command: string;
  readonly args: readonly string[];
}

const bin = (name: string): string => `node_modules/.bin/${name}`;
const chosen = process.argv.slice(2);
const pattern = (path: string): string => (path.endsWith('.ts') ? path : `${path}/**/*.test.ts`);

/** Files run two at a time, those with servers three: they often wait, and their deadlines leave room for neighbours. */
const fast = ['unit', 'property', 'types', 'topologies', 'simulation'];
const slow = ['conformance', 'integration', 'crash'];

const nodeTests = (title: string, patterns: readonly string[], concurrency: number): Step => ({
  title,
  command: process.execPath,
  args: ['--test', `--test-concurrency=${concurrency}`, ...patterns.flatMap(glob => globSync(glob)).sort()],
});

const steps: readonly Step[] =
  chosen.length > 0
    ? [nodeTests('tests', chosen.map(pattern), 1)]
    : [
        { title: 'format and lint', command: bin('biome'), args: ['ci', '.'] },
        { title: 'types', command: bin('tsc'), args: ['-p', '.'] },
        nodeTests(
          'fast rings',
          fast.map(ring => pattern(`test/${ring}`)),
          2,
        ),
        nodeTests(
          'rings with servers',
          slow.map(ring => pattern(`test/${ring}`)),
          3,
        ),
      ];

// Every test file and every command that one starts would strip and compile the same modules again: about half of what most of them compute.
const env = { ...process.env, NODE_COMPILE_CACHE: resolve('.cache/compiled') };

for (const step of steps) {
  console.log(`\n=== ${step.title}`);
  const { status, signal } = spawnSync(step.command, step.args, { stdio: 'inherit', env });
  if (status !== 0) {
    console.error(`=== ${step.title}: failed (${signal ?? `exit code ${status}`})`);
    process.exit(status ?? 1);
  }
}

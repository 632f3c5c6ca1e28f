import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import test, { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { blocksOf, readDocument } from '../unit/docs/markdown.ts';

const project = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'umbus-package-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** The TypeScript in README by file name: the one in its first comment, or a made-up one. */
const examples = new Map(
  blocksOf(readDocument('README.md'), 'ts').map((text, index) => {
    const [, name = `readme-${index}.ts`] = /^\/\/ ([\w.-]+\.ts)\n/.exec(text) ?? [];
    return [name, text] as const;
  }),
);

const env: NodeJS.ProcessEnv = {
  ...process.env,
  // The command's first line asks the environment for node: it must find this one.
  PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
};
// Otherwise a test runner inside a test takes itself for a part of it, and runs nothing.
delete env['NODE_TEST_CONTEXT'];

function run(command: string, args: readonly string[], cwd: string): string {
  const result = spawnSync(command, args, { cwd, env, encoding: 'utf8', timeout: 240_000 });
  assert.equal(
    result.status,
    0,
    `${command} ${args.join(' ')} ended with ${result.status ?? result.signal}:\n${result.stdout}\n${result.stderr}`,
  );
  return result.stdout;
}

/** Packs the project and installs the tarball into an empty one, as a user does. */
function install(): void {
  run('npm', ['pack', '--silent', '--pack-destination', folder], project);
  const [tarball] = readdirSync(folder).filter(name => name.endsWith('.tgz'));
  assert.ok(tarball, 'npm pack made a tarball');
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'user', private: true, type: 'module' }),
  );
  run(
    'npm',
    ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error', `./${tarball}`],
    folder,
  );
}

test('the packed package works where it is installed', async t => {
  install();
  const installed = join(folder, 'node_modules', 'umbus');

  await t.test('holds what it needs, and neither sources nor tests', () => {
    const names = readdirSync(installed);
    for (const name of ['LICENSE', 'README.md', 'dist', 'package.json', 'ums-schema']) {
      assert.ok(names.includes(name), `${name} is in the package`);
    }
    for (const name of ['src', 'test', 'bench', 'node_modules']) {
      assert.ok(!names.includes(name), `${name} is not in the package`);
    }
  });

  await t.test('has a command that helps', () => {
    assert.match(run('npx', ['--no-install', 'umbus', '--help'], folder), /umbus/);
  });

  await t.test('can be imported from JavaScript', () => {
    writeFileSync(join(folder, 'use.js'), javascript);
    assert.equal(run(process.execPath, ['use.js'], folder), 'ok 4\n');
  });

  await t.test('has types that hold in a strict project, as do the examples in README', () => {
    writeFileSync(join(folder, 'use.ts'), typescript);
    for (const [name, text] of examples) writeFileSync(join(folder, name), text);
    assert.ok(examples.has('big-orders.test.ts'), 'README has the topology and its test');
    const files = ['use.ts', ...examples.keys()];
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
    run(process.execPath, [join(project, 'node_modules/typescript/bin/tsc'), '-p', '.'], folder);
  });

  await t.test('runs the example test in README', () => {
    const report = run(process.execPath, ['--test', '--test-reporter=tap', 'big-orders.test.ts'], folder);
    assert.match(report, /^# pass 2$/m);
  });
});

const javascript = `
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineTopology } from 'umbus';
import { createTable, readUms, rows, subscribe } from 'umbus/consumer';
import { createDriver } from 'umbus/testing';

for (const made of [defineTopology, createTable, subscribe, createDriver]) {
  if (typeof made !== 'function') throw new Error('an export is missing');
}
const example = import.meta.resolve('umbus/ums-schema/examples/data_increment_data.json');
const message = readUms(readFileSync(fileURLToPath(example)));
createTable().apply(message);
console.log('ok', [...rows(message)].length);
`;

const typescript = `
import { createTable, openReader, readUms, rows, subscribe, type UmsRow } from 'umbus/consumer';
import { defineTopology } from 'umbus';
import { createDriver } from 'umbus/testing';

export async function ids(dir: string): Promise<bigint[]> {
  await using log = await openReader(dir);
  const table = createTable();
  const found: bigint[] = [];
  for await (const { message } of subscribe({ log, topics: ['shop.store.result'], follow: false })) {
    table.apply(message);
    for (const row of rows(message)) found.push(row.id);
  }
  return found;
}
export const opOf = (row: UmsRow): 'i' | 'u' | 'd' | 'b' => row.op;
export const made = [defineTopology, createDriver] as const;
// @ts-expect-error a message is read from bytes, not from text
readUms('{}');
`;

const compilerOptions = {
  target: 'es2024',
  lib: ['es2024', 'esnext.disposable'],
  module: 'nodenext',
  strict: true,
  exactOptionalPropertyTypes: true,
  allowImportingTsExtensions: true,
  noEmit: true,
  types: ['node'],
  typeRoots: [join(project, 'node_modules/@types')],
};

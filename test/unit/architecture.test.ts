import assert from 'node:assert/strict';
import test from 'node:test';
import { mayImport, placeOf, pureLayers } from './architecture/layers.ts';
import { readSources, type SourceFile, sourceFile } from './architecture/source-file.ts';

const sources = readSources(['src', 'topologies']);

/** Node modules without IO, time and chance. */
const pureNodeModules = ['node:buffer', 'node:crypto', 'node:util', 'node:zlib'];

/** Which layers may import a package; a package that is not here may not be imported at all. */
const packageHomes: Readonly<Record<string, readonly string[]>> = {
  '@kafkajs/confluent-schema-registry': ['adapters'],
  '@platformatic/wasm-utils': ['adapters'],
  avsc: ['ums', 'change', 'adapters'],
  commander: ['cli'],
  influx: ['adapters'],
  kafkajs: ['adapters'],
  lmdb: ['adapters'],
  mysql2: ['adapters'],
  'node-zookeeper-client': ['adapters'],
  'node-cron': ['adapters'],
  nodemailer: ['adapters'],
  'prom-client': ['adapters'],
  yaml: ['config'],
  zod: ['config', 'topologies'],
};

const impurities: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['Date.now', /\bDate\s*\.\s*now\b/],
  ['the current date', /\bnew\s+Date\s*\(\s*\)|(?<!new\s+)\bDate\s*\(/],
  ['Math.random', /\bMath\s*\.\s*random\b/],
  ['random bytes', /\brandom(?:Bytes|UUID|Int|FillSync|Fill)\b|\bgetRandomValues\b/],
  ['a timer', /\bset(?:Timeout|Interval|Immediate)\b/],
  ['performance', /\bperformance\s*\./],
  ['process', /\bprocess\s*\.\s*(?:env|hrtime|argv|cwd|exit|stdout|stderr|memoryUsage|nextTick|on)\b/],
  ['console', /\bconsole\s*\./],
  ['fetch', /\bfetch\s*\(/],
];

const layerOf = ({ path }: SourceFile) => placeOf(path)?.layer;
const isPure = (file: SourceFile) => pureLayers.includes(layerOf(file) ?? '');
const packageOf = (specifier: string) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

function faultsOf(check: (file: SourceFile) => Iterable<string>, files = sources): string[] {
  return files.flatMap(file => [...check(file)].map(fault => `${file.path} ${fault}`));
}

test('sees the project', () => {
  assert.ok(sources.length > 30, `saw ${sources.length} files`);
  assert.ok(sources.filter(isPure).length > 10);
  const imports = sources.flatMap(file => file.imports);
  assert.ok(imports.length > sources.length, `saw ${imports.length} imports`);
});

test('every file is in a layer', () => {
  assert.deepEqual(
    faultsOf(file => (placeOf(file.path) === null ? ['is in no layer'] : [])),
    [],
  );
});

function* wrongWay(file: SourceFile): Generator<string> {
  for (const { path } of file.imports) {
    if (path !== null && !mayImport(file.path, path)) yield `imports ${path}`;
  }
}

test('files import from the layers below them only', () => {
  assert.deepEqual(faultsOf(wrongWay), []);
});

test('every relative import names a file that is there, with its extension', () => {
  const known = new Set(sources.map(({ path }) => path));
  const missing = faultsOf(file =>
    file.imports.flatMap(({ path }) => (path === null || known.has(path) ? [] : [`imports ${path}`])),
  );
  assert.deepEqual(missing, []);
});

function* wrongPackage(file: SourceFile): Generator<string> {
  for (const { specifier, path } of file.imports) {
    if (path !== null || specifier.startsWith('node:')) continue;
    const homes = packageHomes[packageOf(specifier)] ?? [];
    if (!homes.includes(layerOf(file) ?? '')) yield `imports the package ${specifier}`;
  }
}

test('each package is imported where it belongs, drivers in adapters only', () => {
  assert.deepEqual(faultsOf(wrongPackage), []);
});

function* impure(file: SourceFile): Generator<string> {
  for (const { specifier } of file.imports) {
    if (specifier.startsWith('node:') && !pureNodeModules.includes(specifier)) yield `imports ${specifier}`;
  }
  for (const [name, pattern] of impurities) if (pattern.test(file.code)) yield `uses ${name}`;
}

test('layers from core to stages do no IO and read no clock, environment or chance', () => {
  assert.deepEqual(faultsOf(impure, sources.filter(isPure)), []);
});

test('the runtime and the consumer do no IO and know time by the Clock port only', () => {
  const timed = sources.filter(file => ['runtime', 'consumer'].includes(layerOf(file) ?? ''));
  // Waits between attempts are spread by chance unless the caller gives it: the one thing that may differ from run to run.
  const faults = faultsOf(impure, timed).filter(fault => fault !== 'src/runtime/start.ts uses Math.random');
  assert.deepEqual(faults, []);
});

test('what measures is loaded when a destination is configured, and not before', () => {
  const eager = (file: SourceFile) =>
    file.imports
      .filter(({ path, typeOnly, late }) => path?.startsWith('src/adapters/telemetry/') && !typeOnly && !late)
      .map(({ path }) => `imports ${path}`);
  const others = sources.filter(({ path }) => !path.startsWith('src/adapters/telemetry/'));
  assert.deepEqual(faultsOf(eager, others), []);
});

test('only the main files of the command line end the process', () => {
  const ends = (file: SourceFile) => (/\bprocess\s*\.\s*exit\b/.test(file.code) ? ['ends the process'] : []);
  const others = sources.filter(({ path }) => !/^src\/cli\/(?:.+\/)?main\.ts$/.test(path));
  assert.deepEqual(faultsOf(ends, others), []);
});

/** Files that import each other in a ring, types aside: each ring once, from its first file on. */
function ringsOf(files: readonly SourceFile[]): string[] {
  const next = new Map(
    files.map(file => [
      file.path,
      file.imports.flatMap(({ path, typeOnly }) => (path === null || typeOnly ? [] : [path])),
    ]),
  );
  const done = new Set<string>();
  const rings: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) rings.push([...trail.slice(start), path].join(' -> '));
    if (start >= 0 || done.has(path)) return;
    for (const imported of next.get(path) ?? []) visit(imported, [...trail, path]);
    done.add(path);
  };
  for (const { path } of files) visit(path, []);
  return rings;
}

test('no files import each other in a ring', () => {
  assert.deepEqual(ringsOf(sources), []);
});

test('no file is longer than 400 lines', () => {
  assert.deepEqual(
    faultsOf(file => (file.lines > 400 ? [`has ${file.lines} lines`] : [])),
    [],
  );
});

test('the checks find what they look for', () => {
  const bad = sourceFile(
    'src/stages/bad.ts',
    [
      "import { readFile } from 'node:fs/promises';",
      "import lmdb from 'lmdb';",
      "import type { Line } from '../config/line.ts';",
      "export * from '../runtime/a.ts';",
      "const late = await import('../adapters/b.ts');",
      'export const at = Date.now() + new Date().getTime() + Math.random();',
      'setTimeout(() => process.env.HOME, 1);',
    ].join('\n'),
  );
  assert.deepEqual([...wrongWay(bad)].length, 3);
  assert.deepEqual([...wrongPackage(bad)], ['imports the package lmdb']);
  assert.deepEqual(
    [...impure(bad)],
    [
      'imports node:fs/promises',
      'uses Date.now',
      'uses the current date',
      'uses Math.random',
      'uses a timer',
      'uses process',
    ],
  );
  const good = sourceFile(
    'src/stages/good.ts',
    [
      "// import { a } from 'lmdb'; Date.now()",
      "/* setTimeout */ const text = 'Math.random() `'; const quote = /['\"]/;",
      'export const date = new Date(0); const t = `process.env.X`;',
    ].join('\n'),
  );
  assert.deepEqual([...wrongWay(good), ...wrongPackage(good), ...impure(good)], []);
  const ring = [
    sourceFile('src/core/a.ts', "import { b } from './b.ts';"),
    sourceFile('src/core/b.ts', "import { a } from './a.ts';"),
  ];
  assert.deepEqual(ringsOf(ring), ['src/core/a.ts -> src/core/b.ts -> src/core/a.ts']);
});

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import { cacheDir } from '../../../src/cli/demo-server/data-template.ts';
import { classPathOf, ensureJava, mavenFiles } from '../../../src/cli/demo-server/java-program.ts';
import { isUmbusError } from '../../../src/core/errors.ts';

const CODE = 'UMBUS_KAFKA_UNREACHABLE';
const dir = mkdtempSync(join(tmpdir(), 'umbus-java-'));
const path = process.env['PATH'] ?? '';
const quiet = () => {};

afterEach(() => {
  process.env['PATH'] = path;
});
after(() => rmSync(dir, { recursive: true }));

/** Puts a program before those of the machine. */
function program(name: string, script: string): void {
  writeFileSync(join(dir, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  process.env['PATH'] = `${dir}${delimiter}${path}`;
}

function artifact(): string {
  return `test-jars-${process.pid}-${Math.random().toString(36).slice(2)}`;
}

function leftIn(name: string): readonly string[] {
  return existsSync(cacheDir) ? readdirSync(cacheDir).filter(entry => entry.startsWith(name)) : [];
}

test('says what to install where Java is missing and cannot be installed', async () => {
  process.env['PATH'] = join(dir, 'nothing');
  await assert.rejects(ensureJava(CODE, quiet), error => {
    assert.ok(isUmbusError(error, CODE));
    assert.match(
      error.message,
      /There is no java of version 17 or newer.*apt-get install .*default-jre-headless/s,
    );
    return true;
  });
});

test('tells the version of Java', async () => {
  program('java', `echo 'openjdk version "21.0.4" 2024-07-16' >&2`);
  assert.deepEqual(await ensureJava(CODE, quiet), { path: join(dir, 'java'), version: '21.0.4' });
});

test('downloads once, asks Maven for what is needed, and keeps no draft', async () => {
  const name = artifact();
  const calls = join(dir, `${name}.calls`);
  program(
    'mvn',
    `echo "$@" >> ${calls}
for arg in "$@"; do
  case $arg in -DoutputDirectory=*) target=\${arg#*=} ;; esac
done
cp "$target/pom.xml" ${calls}.pom
echo jar > "$target/b.jar"; echo jar > "$target/a.jar"`,
  );
  const files = {
    name,
    title: 'Some jars',
    dependencies: ['org.example:one:1.0', 'org.example:two:2.0'],
    code: CODE,
    complete: (directory: string) => writeFile(join(directory, 'more'), 'x'),
  } as const;
  try {
    const [first = '', second] = await Promise.all([mavenFiles(files, quiet), mavenFiles(files, quiet)]);
    assert.equal(first, second);
    assert.equal(await mavenFiles(files, quiet), first);
    assert.equal(readFileSync(calls, 'utf8').trim().split('\n').length, 1);
    assert.match(
      readFileSync(`${calls}.pom`, 'utf8'),
      /<artifactId>two<\/artifactId><version>2\.0<\/version>/,
    );
    assert.deepEqual(readdirSync(first).sort(), ['a.jar', 'b.jar', 'more']);
    assert.equal(await classPathOf(first), `${join(first, 'a.jar')}:${join(first, 'b.jar')}`);
    assert.deepEqual(leftIn(name), [name]);
  } finally {
    await rm(join(cacheDir, name), { recursive: true, force: true });
  }
});

test('a download that fails says what Maven said and leaves nothing', async () => {
  const name = artifact();
  program('mvn', 'echo "[ERROR] no such artifact"; exit 1');
  await assert.rejects(
    mavenFiles({ name, title: 'Some jars', dependencies: ['org.example:one:1.0'], code: CODE }, quiet),
    error => {
      assert.ok(isUmbusError(error, CODE));
      assert.match(error.message, /could not download Some jars: \[ERROR\] no such artifact/);
      return true;
    },
  );
  assert.deepEqual(leftIn(name), []);
});

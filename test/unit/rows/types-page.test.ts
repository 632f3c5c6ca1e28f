import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { MULTI_BYTE_NAMES, SINGLE_BYTE_NAMES } from '../../../src/binlog/rows/charset-names.ts';
import { randomColumn } from '../../support/differential/columns.ts';
import { typeColumns } from '../../support/type-columns.ts';

const root = new URL('../../../', import.meta.url);
const page = readFileSync(new URL('ums-schema/TYPES.md', root), 'utf8');
const rows = page
  .split('\n')
  .filter(line => line.startsWith('| ') && !line.startsWith('| source type'))
  .map(line => line.slice(2).split(' | '))
  .map(cells => ({
    type: cells[0] ?? '',
    examples: [...(cells[4] ?? '').matchAll(/`([^`]+)`/g)].map(([, example]) => example ?? ''),
    verified: cells.at(-1) ?? '',
  }));

/** `VARCHAR(300) COMPRESSED CHARACTER SET gbk` is of type `VARCHAR COMPRESSED`. */
function typeOf(sql: string): string {
  const plain = sql.replace(/\([^)]*\)/g, '');
  return /^[A-Z][A-Z0-9]*( UNSIGNED| COMPRESSED)?/.exec(plain)?.[0] ?? '';
}

test('the page of source types has one row for each type that the type test writes, and no other says so', () => {
  const written = new Set(typeColumns.map(({ sql }) => typeOf(sql)));
  const said = rows.filter(({ verified }) => verified.includes('types')).map(({ type }) => type);
  assert.equal(new Set(rows.map(({ type }) => type)).size, rows.length, 'a type has two rows');
  assert.deepEqual([...written].sort(), [...said].sort());
});

test('the page of source types says `5.6` of each type that the random tables have on MySQL 5.6, and of no other', () => {
  const types = new Set(rows.map(({ type }) => type));
  const random = fc.sample(randomColumn('mysql56', 'c'), { numRuns: 3000, seed: 56 });
  // FLOAT and DOUBLE have one row each, unsigned or not.
  const made = random
    .map(({ sql }) => typeOf(sql))
    .map(type => (types.has(type) ? type : type.replace(' UNSIGNED', '')));
  const said = rows.filter(({ verified }) => /\b5\.6\b/.test(verified)).map(({ type }) => type);
  assert.deepEqual([...new Set(made)].sort(), said.sort());
});

test('the page of source types names golden cases that are there, and each case that is there', () => {
  const named = new Set([...page.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name));
  for (const { type, verified } of rows) {
    const cases = [...verified.matchAll(/golden `([a-z-]+)`/g)].map(([, name]) => name);
    assert.ok(cases.length > 0 || /types|unit/.test(verified), `${type} is not verified`);
    for (const name of cases)
      assert.ok(existsSync(new URL(`test/golden/${name}.case`, root)), `${name}.case`);
  }
  for (const file of readdirSync(new URL('test/golden/', root)).filter(name => name.endsWith('.case'))) {
    assert.ok(named.has(file.replace('.case', '')), `${file} is not on the page`);
  }
});

/** The values of the columns of a type that the cases of examples have, as JSON. */
function exampleValues(): ReadonlyMap<string, readonly string[]> {
  const byType = new Map<string, string[]>();
  for (const name of ['examples', 'examples-mysql', 'examples-mariadb']) {
    const text = readFileSync(new URL(`test/golden/${name}.case`, root), 'utf8');
    for (const [, table, columns = ''] of text.matchAll(/^CREATE TABLE (\w+) \((.*)\);$/gm)) {
      const [, row = ''] = new RegExp(`^${table}: .*\ni (.*)$`, 'm').exec(text) ?? [];
      const values = row.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? [];
      for (const [i, column] of columns.split(/, (?=\w+ [A-Z])/).entries()) {
        const type = typeOf(column.replace(/^\w+ /, ''));
        byType.set(type, [...(byType.get(type) ?? []), values[i] ?? '']);
      }
    }
  }
  return byType;
}

test('each example of the page of source types is a value of a golden case', () => {
  const values = exampleValues();
  for (const { type, examples, verified } of rows) {
    assert.ok(examples.length > 0, `${type} has no example`);
    for (const example of examples) {
      if (verified.startsWith('unit')) {
        const unit = readFileSync(new URL('test/unit/rows/temporal.test.ts', root), 'utf8');
        assert.ok(unit.includes(example.replaceAll('"', '')), `${type}: no unit test has ${example}`);
        continue;
      }
      const [begin = '', rest] = example.split('…');
      const found = values
        .get(type)
        ?.some(value => (rest === undefined ? value === begin : value.startsWith(begin)));
      assert.ok(found, `${type}: ${example} is none of ${values.get(type)?.join(', ')}`);
    }
  }
});

test('the page of source types names every character set', () => {
  for (const name of [
    'latin1',
    'ascii',
    'binary',
    'utf8mb3',
    'utf8mb4',
    ...SINGLE_BYTE_NAMES,
    ...MULTI_BYTE_NAMES,
  ]) {
    assert.match(page, new RegExp(`\\b${name}\\b`));
  }
});

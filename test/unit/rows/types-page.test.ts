import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { MULTI_BYTE_NAMES, SINGLE_BYTE_NAMES } from '../../../src/binlog/rows/charset-names.ts';
import { typeColumns } from '../../support/type-columns.ts';

const root = new URL('../../../', import.meta.url);
const page = readFileSync(new URL('ums-schema/TYPES.md', root), 'utf8');
const rows = page
  .split('\n')
  .filter(line => line.startsWith('| ') && !line.startsWith('| source type'))
  .map(line => line.slice(2).split(' | '))
  .map(cells => ({ type: cells[0] ?? '', verified: cells.at(-1) ?? '' }));

/** `VARCHAR(300) COMPRESSED CHARACTER SET gbk` is of type `VARCHAR COMPRESSED`. */
function typeOf(sql: string): string {
  const plain = sql.replace(/\([^)]*\)/g, '');
  return /^[A-Z]+( UNSIGNED| COMPRESSED)?/.exec(plain)?.[0] ?? '';
}

test('the page of source types has one row for each type that the type test writes, and no other says so', () => {
  const written = new Set(typeColumns.map(({ sql }) => typeOf(sql)));
  const said = rows.filter(({ verified }) => verified.includes('types')).map(({ type }) => type);
  assert.equal(new Set(rows.map(({ type }) => type)).size, rows.length, 'a type has two rows');
  assert.deepEqual([...written].sort(), [...said].sort());
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

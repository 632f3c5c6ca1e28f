/** Damaged descriptions of columns: whatever a raw run says, a table map gets a meaning or a coded error. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileRows } from '../../src/binlog/rows/compile.ts';
import { parseTableMap } from '../../src/binlog/table-map.ts';
import { fitTableMap } from '../../src/columns/fit-table-map.ts';
import { descriptionOf, descriptionText } from '../../src/columns/table-columns.ts';
import { UmbusError } from '../../src/core/errors.ts';
import { UTC } from '../../src/ums/zone.ts';
import { capturedEvents } from '../support/captures.ts';

const HEADER_BYTES = 19;
const CHECKSUM_BYTES = 4;
const TABLE_MAP = 19;
const maps = ['mysql-9.7', 'mariadb-10.11'].flatMap(name =>
  capturedEvents(name)
    .filter(event => event[4] === TABLE_MAP)
    .map(event => parseTableMap(event.subarray(HEADER_BYTES, event.length - CHECKSUM_BYTES))),
);

/** What becomes of a description: `fits`, `unknown`, or the code of the error. */
function outcome(text: string, map: (typeof maps)[number]): string {
  try {
    const description = descriptionOf(text);
    if ('unknown' in description) return 'unknown';
    compileRows(fitTableMap(map, description), { zone: UTC });
    return 'fits';
  } catch (error) {
    assert.ok(error instanceof UmbusError, `not a coded error: ${error}`);
    return error.code;
  }
}

const word = fc.oneof(
  fc.constantFrom(
    'int',
    'bigint',
    'varchar',
    'enum',
    'set',
    'year',
    'bit',
    'decimal',
    'json',
    'uuid',
    'point',
  ),
  fc.constantFrom('__proto__', 'constructor', 'toString', '', 'é', 'utf8mb4', 'latin1', 'gbk', 'binary'),
  fc.string({ unit: 'binary', maxLength: 5 }),
);
const size = fc.oneof(fc.constantFrom(0, 1, 10, 255, 65_535, -1, 2 ** 53 - 1), fc.nat());
const flag = fc.constant(true as const);
const column = fc.record(
  {
    name: word,
    type: word,
    sizes: fc.array(size, { maxLength: 3 }),
    unsigned: flag,
    notNull: flag,
    nullable: flag,
    charset: word,
    labels: fc.array(word, { maxLength: 4 }),
    compressed: flag,
  },
  { requiredKeys: ['name', 'type'] },
);

test('descriptions of any columns fit a table map, or are refused with a code', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...maps),
      fc.array(column, { maxLength: 8 }),
      fc.array(word, { maxLength: 3 }),
      word,
      (map, columns, primaryKey, charset) => {
        const bare = { ...map, named: false, primaryKey: null };
        const stripped = bare.columns
          .slice(0, columns.length)
          .map(each => ({ ...each, name: null, unsigned: null, collation: null, labels: null }));
        const text = descriptionText({ columns, primaryKey, charset });
        outcome(text, map);
        outcome(text, { ...bare, columns: stripped });
      },
    ),
    { numRuns: 4000 },
  );
});

test('any text, and any JSON, is a description or is refused with a code', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...maps),
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.json(),
        fc.json().map(text => `{"columns":[${text}],"primaryKey":[],"charset":""}`),
        fc.json().map(text => `{"unknown":${text}}`),
      ),
      (map, text) => void outcome(text, map),
    ),
    { numRuns: 4000 },
  );
});

/**
 * A second opinion: @vlasky/zongji, a reader that is none of ours, reads the same binlog, and both give the same changes with the same values. Left out are the types
 * that it gets wrong: FLOAT (widened), YEAR 0, ENUM number 0, negative TIME without a fraction (64 seconds), JSON (made into objects), VECTOR, and text that is no text.
 */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import ZongJi from '@vlasky/zongji';
import fc from 'fast-check';
import type { UmsValue } from '../../src/ums/types.ts';
import { binlogRuns } from '../support/binlog-runs.ts';
import {
  bitLiteral,
  bytesLiteral,
  dateLiteral,
  dateTimeLiteral,
  decimalLiteral,
  floatLiteral,
  integerLiteral,
  textLiteral,
  timeLiteral,
} from '../support/differential/literals.ts';
import { binlogEnd } from '../support/running-line.ts';
import { requireServer, type Server, serverKinds } from '../support/servers.ts';
import { AppendDriver } from '../unit/stages/append-fixture.ts';

const SCHEMA = 'second';
const ROWS = 150;
const SEED = Number(process.env['UMBUS_SEED'] ?? 20_261_128);

const inUtf8 = (longest: number): fc.Arbitrary<string> =>
  textLiteral('utf8mb4', longest).filter(literal => literal.startsWith('_utf8mb4'));

const columns: readonly (readonly [type: string, values: fc.Arbitrary<string>])[] = [
  ['TINYINT', integerLiteral(8)],
  ['SMALLINT UNSIGNED', integerLiteral(16)],
  ['MEDIUMINT', integerLiteral(24)],
  ['INT UNSIGNED', integerLiteral(32)],
  ['BIGINT', integerLiteral(64)],
  ['BIGINT UNSIGNED', integerLiteral(64)],
  ['DOUBLE', floatLiteral],
  ['DECIMAL(65,30)', decimalLiteral(65, 30)],
  ['DECIMAL(9,4)', decimalLiteral(9, 4)],
  ['BIT(7)', bitLiteral(7)],
  ['DATE', dateLiteral],
  ['DATETIME', dateTimeLiteral],
  ['DATETIME(6)', dateTimeLiteral],
  ['TIME(3)', timeLiteral],
  ['VARCHAR(60) CHARACTER SET utf8mb4', inUtf8(60)],
  ['TEXT CHARACTER SET latin1', inUtf8(300)],
  ['VARCHAR(300) CHARACTER SET gbk', inUtf8(300)],
  ['CHAR(20) CHARACTER SET ucs2', inUtf8(20)],
  ['BINARY(10)', bytesLiteral(10)],
  ['VARBINARY(300)', bytesLiteral(300)],
  ['MEDIUMBLOB', bytesLiteral(70_000)],
  ["ENUM('a','b','c') CHARACTER SET utf8mb4", fc.constantFrom('1', '2', "'c'")],
  ["SET('p','q','r') CHARACTER SET utf8mb4", fc.constantFrom("'p'", "'p,r'", "'q,r'")],
];

/** A value in a form that both readers' values have. */
function plain(value: unknown, column: number): string {
  if (value === null || value === undefined) return 'NULL';
  // The first column is the id.
  const isBit = columns[column - 1]?.[0].startsWith('BIT') === true;
  if (isBit && value instanceof Uint8Array) return String(Number(`0x${Buffer.from(value).toString('hex')}`));
  if (Array.isArray(value)) return value.join(',');
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return Object.is(value, -0) ? '-0' : String(value);
}

/** The changes as this project has them: operation and values. */
async function ours(server: Server, from: number): Promise<string[]> {
  const appender = new AppendDriver({ beforeImage: () => true });
  for (const run of await binlogRuns(server, from, await binlogEnd(server), name => name === SCHEMA)) {
    appender.run(run);
  }
  assert.deepEqual(appender.parked, []);
  return appender.messages.flatMap(({ payload }) =>
    payload.map(({ tuple }) => {
      const values: readonly UmsValue[] = tuple.slice(4);
      return [tuple[2], ...values.map(plain)].join(' | ');
    }),
  );
}

/** The same changes as zongji has them. Fails when it has fewer. */
async function theirs(server: Server, from: number, file: string, expected: number): Promise<string[]> {
  const { host, port, user, password } = server;
  const zongji = new ZongJi({ host, port, user, password, dateStrings: true, supportBigNumbers: true });
  const changes: string[] = [];
  const note = (operation: string, row: unknown): void => {
    assert.ok(typeof row === 'object' && row !== null);
    changes.push([operation, ...Object.values(row).map(plain)].join(' | '));
  };
  try {
    await new Promise<void>((resolve, reject) => {
      zongji.on('error', reject);
      zongji.on('binlog', event => {
        const rows: readonly unknown[] = 'rows' in event && Array.isArray(event.rows) ? event.rows : [];
        for (const row of rows) {
          if (typeof row === 'object' && row !== null && 'before' in row && 'after' in row) {
            note('b', row.before);
            note('u', row.after);
          } else note(event.getEventName() === 'writerows' ? 'i' : 'd', row);
        }
        if (changes.length >= expected) resolve();
      });
      zongji.start({
        serverId: 4_100_000_007,
        filename: file,
        position: from,
        includeEvents: ['rotate', 'tablemap', 'writerows', 'updaterows', 'deleterows'],
        includeSchema: { [SCHEMA]: true },
      });
      AbortSignal.timeout(30_000).addEventListener('abort', () =>
        reject(new Error(`zongji found ${changes.length} of ${expected} changes.`)),
      );
    });
  } finally {
    zongji.stop();
  }
  return changes;
}

for (const kind of serverKinds) {
  test(`an independent reader reads the same changes from ${kind}`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    await server.query("SET SESSION sql_mode = ''");
    await server.query(`CREATE DATABASE ${SCHEMA} CHARACTER SET utf8mb4`);
    const list = columns.map(([type], i) => `c${i} ${type}`);
    await server.query(`CREATE TABLE ${SCHEMA}.t (id INT PRIMARY KEY AUTO_INCREMENT, ${list.join(', ')})`);
    const { file, position } = await binlogEnd(server);
    const row = fc.tuple(
      ...columns.map(([, values]) =>
        fc.oneof({ weight: 1, arbitrary: fc.constant('NULL') }, { weight: 8, arbitrary: values }),
      ),
    );
    let refused = 0;
    for (const values of fc.sample(row, { seed: SEED, numRuns: ROWS })) {
      // The server refuses a literal that is no UTF-8.
      const sql = `INSERT INTO ${SCHEMA}.t VALUES (NULL, ${values.join(', ')})`;
      await server.query(sql).catch(() => (refused += 1));
    }
    await server.query(`UPDATE ${SCHEMA}.t SET id = id + 1000, c0 = NULL WHERE id % 3 = 0 ORDER BY id DESC`);
    await server.query(`DELETE FROM ${SCHEMA}.t WHERE id % 2 = 0`);
    const mine = await ours(server, position);
    assert.ok(refused < ROWS / 2, `${refused} rows refused`);
    assert.ok(mine.length > ROWS, `${mine.length} changes`);
    const other = await theirs(server, position, file, mine.length);
    for (const [i, change] of mine.entries()) assert.equal(change, other[i], `change ${i}`);
  });
}

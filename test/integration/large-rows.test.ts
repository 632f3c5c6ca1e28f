/** Rows of tens and hundreds of megabytes: their packets, runs and messages are joined and written whole, and come out byte for byte. */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { createMemoryCoordination } from '../../src/adapters/memory/index.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import type { Log } from '../../src/ports/log.ts';
import { recordsOf } from '../support/published.ts';
import { askPull, pullOver } from '../support/pulls.ts';
import { startLine } from '../support/running-line.ts';
import { requireServer, type ServerKindName } from '../support/servers.ts';

const MB = 1024 * 1024;
/** What values repeat, and its base64 without padding. */
const PATTERN = 'abcdefghijklmnopqrstuvwx';
const PATTERN_BASE64 = 'YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4';
const DEADLINE_MS = 240_000;

interface LargeRow {
  readonly kind: ServerKindName;
  readonly type: 'LONGTEXT' | 'LONGBLOB';
  readonly megabytes: number;
  /** Whether the row gets another key, which writes it three times. */
  readonly moves: boolean;
}

const rows: readonly LargeRow[] = [
  { kind: 'mariadb', type: 'LONGTEXT', megabytes: 40, moves: true },
  { kind: 'mysql', type: 'LONGBLOB', megabytes: 40, moves: false },
  { kind: 'mariadb', type: 'LONGBLOB', megabytes: 150, moves: false },
];

/** Takes a message apart around its large values, each of which must be `times` the pattern. Gives what stands between them. */
function without(value: Buffer, pattern: string, times: number): string {
  let rest = '';
  let from = 0;
  for (;;) {
    const at = value.indexOf(`"${pattern}`, from);
    if (at < 0) return rest + value.toString('utf8', from);
    rest += value.toString('utf8', from, at);
    const end = at + 1 + pattern.length * times;
    // A value equals itself moved on by one pattern, and so it is all pattern.
    assert.equal(value.compare(value, at + 1, end - pattern.length, at + 1 + pattern.length, end), 0);
    assert.equal(value.toString('latin1', end, end + 1), '"');
    rest += '<large>';
    from = end + 1;
  }
}

/** The rows of the result topic, each as its operation and its columns, with `<large>` for values that are `times` the pattern. */
async function tuplesOf(log: Log, pattern: string, times: number): Promise<readonly string[]> {
  const tuples: string[] = [];
  for await (const { record } of recordsOf(log, 'test.large.result')) {
    const { buffer, byteOffset, length } = record.value ?? new Uint8Array();
    const text = without(Buffer.from(buffer, byteOffset, length), pattern, times);
    for (const { tuple } of JSON.parse(text.replaceAll('<large>', '"<large>"')).payload) {
      tuples.push(`${tuple[2]} ${tuple.slice(-3).join(' ')}`);
    }
  }
  return tuples;
}

for (const { kind, type, megabytes, moves } of rows) {
  test(`a ${type} of ${megabytes} MB comes out of ${kind} whole`, async t => {
    await using server = await requireServer(t, kind, { args: ['--max-allowed-packet=1G'] });
    if (server === null) return;
    await server.query('CREATE DATABASE large');
    await server.query(`CREATE TABLE large.t (id INT PRIMARY KEY, v ${type}, z INT)`);
    await using line = await startLine({ server, schemas: ['large'], partitions: 1 });
    const times = Math.floor((megabytes * MB) / PATTERN.length);
    await server.query('SET SESSION net_write_timeout = 600');
    await server.query(`INSERT INTO large.t VALUES (1, REPEAT('${PATTERN}', ${times}), 7)`);
    if (moves) await server.query('UPDATE large.t SET id = 2');
    await server.query("INSERT INTO large.t VALUES (3, 'small', 8)");
    await line.drained(DEADLINE_MS);
    const pattern = type === 'LONGTEXT' ? PATTERN : PATTERN_BASE64;
    const tuples = await tuplesOf(line.log, pattern, times);
    const small = type === 'LONGTEXT' ? 'small' : 'c21hbGw=';
    assert.deepEqual(tuples, [
      'i 1 <large> 7',
      ...(moves ? ['b 1 <large> 7', 'u 2 <large> 7'] : []),
      `i 3 ${small} 8`,
    ]);
  });
}

test('rows of 100 MB are pulled whole, one after the other', async t => {
  await using server = await requireServer(t, 'mariadb', { args: ['--max-allowed-packet=1G'] });
  if (server === null) return;
  await server.query('CREATE DATABASE large');
  await server.query('CREATE TABLE large.t (id INT PRIMARY KEY, v LONGBLOB, z INT)');
  const times = Math.floor((100 * MB) / PATTERN.length);
  for (const id of [1, 2]) {
    await server.query(`INSERT INTO large.t VALUES (${id}, REPEAT('${PATTERN}', ${times}), 7)`);
  }
  await server.query("INSERT INTO large.t VALUES (3, 'small', 8)");
  await using coordination = createMemoryCoordination({ clock: systemClock }).open();
  await using line = await startLine({
    server,
    schemas: ['large'],
    partitions: 1,
    start: 'now',
    coordination,
  });
  const cells = await askPull(coordination, line.line.ds, { pull: 'large', schema: 'large', table: 't' });
  const { status, rows } = await pullOver(cells, 'large', DEADLINE_MS);
  assert.deepEqual([status, rows], ['ending', 3]);
  assert.deepEqual(await tuplesOf(line.log, PATTERN_BASE64, times), [
    'i 1 <large> 7',
    'i 2 <large> 7',
    'i 3 c21hbGw= 8',
  ]);
});

/** `heartbeat-load.ts PORT ROWS_PER_SECOND SECONDS`: inserts rows at a pace, a hundred to a statement, and prints how many. */
import { setTimeout as delay } from 'node:timers/promises';
import { connectSql } from '../src/adapters/mysql/connect.ts';
import { LOAD_SCHEMA } from '../test/support/load.ts';

const [port = '', pace = '', seconds = ''] = process.argv.slice(2);
const ROWS = 100;

await using session = await connectSql({
  host: '127.0.0.1',
  port: Number(port),
  user: 'root',
  password: '',
  tls: null,
});
const values = Array.from({ length: ROWS }, (_, i) => `(${i}, '${'c'.repeat(119)}', '${'p'.repeat(59)}')`);
const statement = `INSERT INTO ${LOAD_SCHEMA}.\`load\` (k, c, pad) VALUES ${values.join(', ')}`;
const start = performance.now();
const end = start + Number(seconds) * 1000;
let rows = 0;
for (let now = start; now < end; now = performance.now()) {
  const due = start + (rows / Number(pace)) * 1000;
  if (due > now) await delay(due - now);
  await session.query(statement);
  rows += ROWS;
}
console.log(rows);

/**
 * `npm run bench -- --pull [SCALE]`: full pulls against a streaming `SELECT *` by the same driver that throws its rows away, from one throw-away MariaDB on one machine. SCALE times a million rows.
 */
import { type Connection, createConnection } from 'mysql2';
import { connectSql } from '../src/adapters/mysql/connect.ts';
import { openPullSource } from '../src/adapters/mysql/pull-source.ts';
import { readTableDefinition } from '../src/adapters/mysql/table-definition.ts';
import { resultColumn } from '../src/binlog/result/result-column.ts';
import { compileRows } from '../src/binlog/rows/compile.ts';
import { recordMemory } from '../src/core/memory-pool.ts';
import { type KeyLiterals, WHOLE_TABLE } from '../src/sharding/key-range.ts';
import { splitStep } from '../src/sharding/split-plan.ts';
import { TupleBuffer, viewOf } from '../src/ums/tuple-buffer.ts';
import { TuplePrefix } from '../src/ums/tuple-prefix.ts';
import { UTC } from '../src/ums/zone.ts';
import { makeTable, PULL_SCHEMA } from '../test/crash/pull-table.ts';
import { createLoad, LOAD_SCHEMA, runLoad } from '../test/support/load.ts';
import { type Server, startMariadb } from '../test/support/servers.ts';
import { median, report, runWorker } from './measure.ts';
import { benchBeside } from './pull-beside.ts';
import type { PullFigures } from './pull-worker.ts';

const ROWS = 1_000_000;
const ROUNDS = 3;
const PAGE_BYTES = 512 * 1024;

const loginOf = ({ host, port, user, password }: Server) => ({ host, port, user, password, tls: null });

/** Seconds of a SELECT of all rows over the driver's stream. */
async function selectSeconds(server: Server, table: string): Promise<number> {
  const { tls: _, ...login } = loginOf(server);
  const driver: Connection = createConnection(login);
  try {
    const start = performance.now();
    await new Promise<void>((resolve, reject) => {
      driver
        .query(`SELECT * FROM ${table}`)
        .on('error', reject)
        .on('result', () => {})
        .on('end', () => resolve());
    });
    return (performance.now() - start) / 1000;
  } finally {
    driver.destroy();
  }
}

/** Seconds of reading all rows and writing them as UMS tuples, in one process, without a line. */
async function encodeSeconds(server: Server, table: string): Promise<number> {
  await using source = openPullSource(loginOf(server), { ds: 'bench', signalSchema: 'dbus' });
  await using session = await connectSql(loginOf(server));
  const definition = await readTableDefinition(session, LOAD_SCHEMA, table);
  if (definition === null) throw new Error(table);
  const columns = definition.definitions.map(each => resultColumn(each).map);
  const map = { tableId: 0, schema: LOAD_SCHEMA, table, columns, primaryKey: [0], named: true };
  const writer = compileRows(map, { zone: UTC });
  const pulled = await source.table(LOAD_SCHEMA, table, [], []);
  const out = new TupleBuffer();
  const prefix = new TuplePrefix();
  const start = performance.now();
  await using rows = await pulled.read(WHOLE_TABLE, null, Number.MAX_SAFE_INTEGER);
  for (let page = await rows.page(PAGE_BYTES); page !== null; page = await rows.page(PAGE_BYTES)) {
    const bytes = page.events;
    prefix.file(1, 1);
    prefix.time(0, -1);
    prefix.event(4, 'i');
    out.clear();
    writer.rows(
      bytes,
      viewOf(bytes),
      0,
      bytes.length,
      out,
      prefix,
      Number.MAX_SAFE_INTEGER,
      Number.MAX_SAFE_INTEGER,
    );
    recordMemory.giveBack(bytes);
  }
  return (performance.now() - start) / 1000;
}

/** The smallest and the largest shard, but for the last, of a table nine tenths of which share the first column of the key, while the rest of the key is in a corner of its range. */
async function shardSpread(server: Server, rows: number): Promise<readonly [least: number, most: number]> {
  await makeTable(server, rows);
  await using source = openPullSource(loginOf(server), { ds: 'bench', signalSchema: 'dbus' });
  const table = await source.table(PULL_SCHEMA, 'big', [], []);
  const sizes: number[] = [];
  const shardRows = Math.max(1, Math.round(rows / 20));
  for (let after: KeyLiterals | null = null; ; ) {
    const { shards, next } = await splitStep(after, 8, key => table.boundary(key, shardRows));
    for (const range of shards) {
      await using shard = await table.read(range, null, Number.MAX_SAFE_INTEGER);
      let size = 0;
      for (let page = await shard.page(PAGE_BYTES); page !== null; page = await shard.page(PAGE_BYTES)) {
        size += page.rows;
      }
      sizes.push(size);
    }
    if (next === null) break;
    after = next.after;
  }
  const full = sizes.slice(0, -1);
  return [Math.min(...full), Math.max(...full)];
}

/** Prints the figures. */
export async function benchPull(scale: number): Promise<void> {
  await using server = await startMariadb();
  await createLoad(sql => server.query(sql));
  const rows = Math.round((ROWS * scale) / 2500) * 2500;
  await runLoad(sql => server.query(sql), 'bulk', rows);
  const [{ n } = { n: 0 }] = await server.query(`SELECT COUNT(*) AS n FROM ${LOAD_SCHEMA}.t1`);
  const count = Number(n);
  const selects: number[] = [];
  const encodes: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    selects.push(await selectSeconds(server, `${LOAD_SCHEMA}.t1`));
    encodes.push(await encodeSeconds(server, 't1'));
  }
  const select = median(selects);
  const rate = (seconds: number): string => `${Math.round(count / seconds).toLocaleString('en-US')} rows/s`;
  report(
    'read to UMS / streaming SELECT *',
    select / median(encodes),
    '>= 0.7',
    `${rate(median(encodes))} / ${rate(select)}`,
  );
  for (const concurrency of [1, 2, 6]) {
    const { seconds, firstSeconds, earlyMegabytes, lateMegabytes } = await runWorker<PullFigures>(
      './pull-worker.ts',
      [String(server.port), String(concurrency), 't1'],
    );
    report(
      `full pull, whole line, ${concurrency} at a time / SELECT *`,
      select / seconds,
      '>= 0.7',
      `${rate(seconds)}; first rows after ${Math.round(firstSeconds * 1000)} ms`,
    );
    report(
      `memory, second half / first half, ${concurrency} at a time`,
      lateMegabytes / earlyMegabytes,
      '<= 1.2',
      `${Math.round(lateMegabytes)} / ${Math.round(earlyMegabytes)} MB anonymous at most`,
    );
  }
  const [least, most] = await shardSpread(server, Math.round(count / 4));
  report(
    'smallest / largest shard, skewed key',
    least / most,
    '>= 0.8',
    `${least.toLocaleString('en-US')} / ${most.toLocaleString('en-US')} rows`,
  );
  await benchBeside(server, scale);
}

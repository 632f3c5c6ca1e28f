/**
 * `npm run bench -- --pull [SCALE]`: full pulls against a streaming `SELECT *` by the same driver that throws its rows away, from one throw-away MariaDB on one machine. SCALE times a million rows.
 */
import { type Connection, createConnection } from 'mysql2';
import { createMemoryCoordination } from '../src/adapters/memory/index.ts';
import { connectSql } from '../src/adapters/mysql/connect.ts';
import { openPullSource } from '../src/adapters/mysql/pull-source.ts';
import { readTableDefinition } from '../src/adapters/mysql/table-definition.ts';
import { systemClock } from '../src/adapters/system-clock.ts';
import { resultColumn } from '../src/binlog/result/result-column.ts';
import { compileRows } from '../src/binlog/rows/compile.ts';
import { WHOLE_TABLE } from '../src/sharding/key-range.ts';
import { TupleBuffer, viewOf } from '../src/ums/tuple-buffer.ts';
import { TuplePrefix } from '../src/ums/tuple-prefix.ts';
import { UTC } from '../src/ums/zone.ts';
import { createLoad, LOAD_SCHEMA, runLoad } from '../test/support/load.ts';
import { askPull, pullOver } from '../test/support/pulls.ts';
import { startLine } from '../test/support/running-line.ts';
import { type Server, startMariadb } from '../test/support/servers.ts';
import { anonymousMegabytes, median, report } from './measure.ts';

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
    const bytes = Buffer.from(page.images.buffer, page.images.byteOffset, page.images.byteLength);
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
  }
  return (performance.now() - start) / 1000;
}

/** Seconds of a pull through the whole line in this process, and when its first rows were published. */
async function pullSeconds(
  server: Server,
  table: string,
  concurrency: number,
): Promise<{ readonly seconds: number; readonly firstSeconds: number; readonly megabytes: number }> {
  await using coordination = createMemoryCoordination({ clock: systemClock }).open();
  await using line = await startLine({
    server,
    schemas: [LOAD_SCHEMA],
    start: 'now',
    coordination,
    concurrency,
    partitions: 1,
  });
  const topic = { topic: `${line.line.ds}.${LOAD_SCHEMA}.result`, partition: 0 };
  const start = performance.now();
  const cells = await askPull(coordination, line.line.ds, {
    pull: 'bench',
    schema: LOAD_SCHEMA,
    table,
    shardRows: 100_000,
  });
  let firstSeconds = Number.NaN;
  let megabytes = 0;
  const watch = setInterval(() => {
    megabytes = Math.max(megabytes, anonymousMegabytes());
    if (Number.isNaN(firstSeconds)) {
      line.log.offset(topic, 'latest').then(
        offset => {
          // The first message says that the pull begins.
          if (offset > 1n && Number.isNaN(firstSeconds)) firstSeconds = (performance.now() - start) / 1000;
        },
        // The topic is not there yet.
        () => {},
      );
    }
  }, 20);
  try {
    const { status, failure } = await pullOver(cells, 'bench', 600_000);
    if (status !== 'ending') throw new Error(failure?.message);
  } finally {
    clearInterval(watch);
  }
  return { seconds: (performance.now() - start) / 1000, firstSeconds, megabytes };
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
    const { seconds, firstSeconds, megabytes } = await pullSeconds(server, 't1', concurrency);
    const detail = `${rate(seconds)}; first rows after ${Math.round(firstSeconds * 1000)} ms; at most ${Math.round(megabytes)} MB`;
    report(`full pull, whole line, ${concurrency} at a time / SELECT *`, select / seconds, '', detail);
  }
}

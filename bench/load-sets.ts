import { createLoad, LOAD_SCHEMA, type LoadKind, runLoad } from '../test/support/load.ts';
import { binlogEnd } from '../test/support/running-line.ts';
import type { Server } from '../test/support/servers.ts';

/** One load in a binlog file of its own. */
export interface LoadSet {
  readonly kind: LoadKind | 'spread';
  /** Rows changed. */
  readonly rows: number;
  readonly file: string;
  /** Where the load ends in the file. */
  readonly end: number;
}

const sizes: Readonly<Record<LoadKind, number>> = { bulk: 1_000_000, oltp: 400_000, single: 200_000 };

/** Makes the three loads, `scale` times their full size. */
export async function makeLoadSets(server: Server, scale: number): Promise<readonly LoadSet[]> {
  const execute = (sql: string) => server.query(sql);
  await createLoad(execute);
  const sets: LoadSet[] = [];
  for (const kind of ['bulk', 'oltp', 'single'] as const) {
    await execute('FLUSH LOGS');
    const inserted = Math.round((sizes[kind] * scale) / 2500) * 2500;
    await runLoad(execute, kind, inserted);
    const { file, position } = await binlogEnd(server);
    // Bulk also updates and deletes a fifth of what it inserted.
    sets.push({ kind, rows: kind === 'bulk' ? inserted * 1.4 : inserted, file, end: position });
  }
  await execute('FLUSH LOGS');
  return sets;
}

/** Tables of the load that is spread, so that several partitions have work. */
const SPREAD_TABLES = ['t4', 't5', 't6', 't7', 't8', 't9', 'ta', 'tb', 'tc', 'td', 'te', 'tf'];
const SPREAD_ROWS = 50_000;
const STATEMENT_ROWS = 1_000;

/** Rows in statements of a thousand, from table to table in turns; after {@link makeLoadSets}. `scale` times 600,000 rows. */
export async function makeSpreadSet(server: Server, scale: number): Promise<LoadSet> {
  const execute = (sql: string) => server.query(sql);
  await execute(`USE ${LOAD_SCHEMA}`);
  for (const name of SPREAD_TABLES) await execute(`CREATE TABLE ${name} LIKE t3`);
  await execute('FLUSH LOGS');
  const statements = Math.ceil((SPREAD_ROWS * scale) / STATEMENT_ROWS);
  for (let i = 0; i < statements; i++) {
    for (const name of SPREAD_TABLES) {
      await execute(
        `INSERT INTO ${name} (k, c, pad, amount, ts, doc, name) SELECT k, c, pad, amount, ts, doc, name FROM t3 LIMIT ${STATEMENT_ROWS}`,
      );
    }
  }
  const { file, position } = await binlogEnd(server);
  return { kind: 'spread', rows: statements * STATEMENT_ROWS * SPREAD_TABLES.length, file, end: position };
}

import { createLoad, type LoadKind, runLoad } from '../test/support/load.ts';
import { binlogEnd } from '../test/support/running-line.ts';
import type { Server } from '../test/support/servers.ts';

/** One load in a binlog file of its own. */
export interface LoadSet {
  readonly kind: LoadKind;
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

import { UmbusError } from '../../core/errors.ts';
import type { SqlSession } from './connect.ts';
import { textOf } from './server-facts.ts';

const NEEDED = "'binlog_row_image', 'binlog_row_metadata', 'binlog_order_commits'";

/**
 * Looks at what the binlog of a source has for full pulls; gives whether it says the keys of tables. Errors: UMBUS_SOURCE_SETTING for row images that are not whole, and for a server that may show a
 * transaction after one that its binlog has later (`binlog_order_commits`): a watermark there would not say that all before it can be read.
 */
export async function assertPullSettings(session: SqlSession): Promise<boolean> {
  const rows = await session.query(`SHOW GLOBAL VARIABLES WHERE Variable_name IN (${NEEDED})`);
  const is = (name: string, value: string): boolean =>
    rows.some(row => textOf(row, 'Variable_name') === name && textOf(row, 'Value').toUpperCase() === value);
  if (!is('binlog_row_image', 'FULL')) {
    throw refused('whole row images: run SET GLOBAL binlog_row_image = FULL');
  }
  if (is('binlog_order_commits', 'OFF')) {
    throw refused('commits in the order of the binlog: run SET GLOBAL binlog_order_commits = ON');
  }
  return is('binlog_row_metadata', 'FULL');
}

function refused(what: string): UmbusError {
  return new UmbusError(
    'UMBUS_SOURCE_SETTING',
    `A full pull needs ${what} on the source, and let its sessions connect anew.`,
  );
}

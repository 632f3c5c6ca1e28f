import type { BinlogFiles } from '../../change/binlog-horizon.ts';
import type { SqlSession } from './connect.ts';
import { listBinlogs, type ServerFacts } from './server-facts.ts';

const DAY_S = 86_400;

/**
 * The binlog files and how long they are kept: by age in seconds (`binlog_expire_logs_seconds`, unless `binlog_expire_logs_auto_purge` is off) or days
 * (`expire_logs_days`), by size on MariaDB (`max_binlog_total_size`). Errors: UMBUS_SOURCE_GRANT, UMBUS_SOURCE_SETTING without a binlog.
 */
export async function binlogFiles(
  session: SqlSession,
  facts: ServerFacts,
  atMs: number,
): Promise<BinlogFiles> {
  const files = await listBinlogs(session);
  return {
    files: files.map(({ name, sizeBytes }) => ({ file: name, bytes: sizeBytes })),
    expireSeconds: expireSeconds(facts),
    maxTotalBytes: positive(facts.variables.get('max_binlog_total_size')),
    atMs,
  };
}

/** Seconds that a binlog file is kept after it was closed; null when the server never purges by age. */
export function expireSeconds({ variables }: ServerFacts): number | null {
  if (variables.get('binlog_expire_logs_auto_purge') === 'OFF') return null;
  const days = positive(variables.get('expire_logs_days'));
  return positive(variables.get('binlog_expire_logs_seconds')) ?? (days === null ? null : days * DAY_S);
}

function positive(text: string | undefined): number | null {
  const value = Number(text ?? 0);
  return value > 0 ? value : null;
}

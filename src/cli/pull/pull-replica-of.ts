import type { PullReplica } from '../../adapters/mysql/pull-replica.ts';
import type { Line } from '../../config/line.ts';

/** Where pulls of a line read rows; null: in the source. */
export function pullReplica({ pull, source }: Pick<Line, 'pull' | 'source'>): PullReplica | null {
  if (pull.replica === null) return null;
  const { timeoutMs, ...login } = pull.replica;
  return { login: { ...login, tls: source.tls }, timeoutMs };
}

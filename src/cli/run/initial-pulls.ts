import { createHash } from 'node:crypto';
import { withSession } from '../../adapters/mysql/connect.ts';
import { baseTables } from '../../adapters/mysql/select-rows.ts';
import type { PullCells } from '../../adapters/pull/pull-cells.ts';
import { DEFAULT_SHARD_ROWS, type PullJob, pullRequest } from '../../change/pull-job.ts';
import type { Line } from '../../config/line.ts';
import { subscription } from '../../config/subscription.ts';
import type { Clock } from '../../ports/clock.ts';
import { type EventLog, errorFields } from '../event-log.ts';

const LOOK_MS = 5000;
const NAME_DIGITS = 20;

/**
 * Asks for a pull of each published table of schemas with `initial: pull`, once in the life of the line: now for those that are there, and for others when they come. The pull of a table has a name of its own, so a request
 * that is made twice, by two processes or before and after a crash, is one. Ends when the signal aborts.
 */
export async function askInitialPulls(
  line: Line,
  cells: PullCells,
  clock: Clock,
  events: EventLog,
  signal: AbortSignal,
): Promise<void> {
  const schemas = Object.keys(line.schemas).filter(name => line.schemas[name]?.initial === 'pull');
  if (schemas.length === 0) return;
  const published = subscription(line);
  const asked = new Set<string>();
  while (!signal.aborted) {
    try {
      const tables = await withSession(line.source, signal, async session => {
        const found: { readonly schema: string; readonly table: string }[] = [];
        for (const schema of schemas) {
          for (const table of await baseTables(session, schema)) found.push({ schema, table });
        }
        return found;
      });
      for (const { schema, table } of tables) {
        const pull = initialPullOf(schema, table);
        if (asked.has(pull) || !published(schema, table)) continue;
        await ask(cells, { pull, schema, table, askedMs: Math.round(clock.now()) });
        asked.add(pull);
      }
    } catch (error) {
      if (signal.aborted) return;
      events(
        'warn',
        'Tables that are to be pulled when they appear could not be looked for; trying again.',
        errorFields(error),
      );
    }
    await clock.sleep(LOOK_MS, signal);
  }
}

async function ask(
  cells: PullCells,
  asked: Pick<PullJob, 'pull' | 'schema' | 'table' | 'askedMs'>,
): Promise<void> {
  if (await cells.isInitial(asked.pull)) return;
  const shape = { condition: null, splitBy: [], columns: [], mode: 'watermark', to: null } as const;
  const job: PullJob = { ...asked, ...shape, shardRows: DEFAULT_SHARD_ROWS };
  if ((await cells.record(job.pull)) === null) await cells.change(job, {});
  await cells.request(job.pull, pullRequest(job));
  await cells.setInitial(job.pull);
}

/** The name of the pull that a table gets when it appears. */
export function initialPullOf(schema: string, table: string): string {
  const digits = createHash('sha256')
    .update(JSON.stringify([schema, table]))
    .digest('hex');
  return `initial-${digits.slice(0, NAME_DIGITS)}`;
}

import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { CellCoordination } from '../cell-coordination/cell-coordination.ts';
import { LogCells } from './log-cells.ts';

export interface LogCoordinationOptions {
  /** Stays the caller's: it is closed after coordination. */
  readonly log: Log;
  readonly clock: Clock;
  /** Data source that the processes work for. */
  readonly ds: string;
}

/** The topic that holds the cells of a data source: one partition, compacted. */
export function coordinationTopic(ds: string): string {
  return `umbus.${ds}.coordination`;
}

/**
 * Opens coordination among the processes that write to one log, and makes its topic when it is missing. Nothing but the log is needed.
 * Errors: those of `Log.ensureTopics` and `Log.read`.
 */
export async function openLogCoordination(options: LogCoordinationOptions): Promise<CellCoordination> {
  const { log, clock, ds } = options;
  const topic = coordinationTopic(ds);
  await log.ensureTopics([
    { name: topic, partitions: 1, cleanup: 'compact', retentionMs: null, retentionBytes: null },
  ]);
  const cells = new LogCells(log, clock, topic);
  try {
    await cells.read('');
  } catch (error) {
    await cells[Symbol.asyncDispose]();
    throw error;
  }
  return new CellCoordination(cells, clock);
}

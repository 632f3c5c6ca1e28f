import type { Clock } from '../../ports/clock.ts';
import { CellCoordination } from '../cell-coordination/cell-coordination.ts';
import { LmdbCells } from './lmdb-cells.ts';

export interface EmbeddedCoordinationOptions {
  /** Directory of the cells; made when it is missing. Beside an embedded log: `<log dir>/coordination`. */
  readonly dir: string;
  readonly clock: Clock;
  /** How often to look for what other processes have changed; default 50 ms. */
  readonly pollMs?: number;
}

/**
 * Opens coordination among the processes of one machine. Any number may have a directory open and write. A lease whose holder has died is free at once.
 * Errors: UMBUS_COORDINATION_UNREACHABLE when the directory cannot be used.
 */
export async function openEmbeddedCoordination(
  options: EmbeddedCoordinationOptions,
): Promise<CellCoordination> {
  const { dir, clock, pollMs = 50 } = options;
  return new CellCoordination(await LmdbCells.open(dir, clock, pollMs), clock);
}

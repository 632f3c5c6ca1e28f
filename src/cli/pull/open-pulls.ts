import { PullCells } from '../../adapters/pull/pull-cells.ts';
import type { Line } from '../../config/line.ts';
import type { Clock } from '../../ports/clock.ts';
import { openLineLog } from '../open-line.ts';
import { openLineCoordination } from '../open-services.ts';

import { absentWorkers } from './absent-workers.ts';

/** What the command line knows pulls by. */
export interface OpenPulls extends AsyncDisposable {
  readonly cells: PullCells;
  /** As {@link absentWorkers}. */
  readonly absent: () => Promise<string | null>;
}

/** Opens what a line knows of its pulls, beside the processes that run it. Errors: UMBUS_LOG_UNKNOWN_TOPIC for a line that never ran, UMBUS_COORDINATION_*, UMBUS_KAFKA_*. */
export async function openPulls(line: Line, clock: Clock): Promise<OpenPulls> {
  await using opened = new AsyncDisposableStack();
  const log = opened.use(await openLineLog(line, 'reader'));
  const coordination = opened.use(await openLineCoordination(line, log, clock));
  const kept = opened.move();
  return {
    cells: new PullCells(coordination, line.ds),
    absent: () => absentWorkers(coordination, line.ds),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

import type { LineSchemas } from '../../adapters/registry/line-schemas.ts';
import type { Line } from '../../config/line.ts';
import type { Coordination } from '../../ports/coordination.ts';
import type { Log } from '../../ports/log.ts';
import { coordinationPlace, openLineCoordination, openLineRegistry } from '../open-services.ts';
import { keepTrying, type Patience } from './keep-trying.ts';
import { openReachableLog } from './reachable-log.ts';

/** What a line runs on. */
export interface Outside extends AsyncDisposable {
  readonly log: Log;
  readonly coordination: Coordination;
  /** Null for a line without a registry. */
  readonly registered: LineSchemas | null;
}

/** Opens all that a line runs on, waiting for what cannot be reached yet. Null: `stopping` aborted first. Errors: what waiting does not mend. */
export async function openOutside(line: Line, patience: Patience): Promise<Outside | null> {
  const { clock, events, stopping } = patience;
  await using opened = new AsyncDisposableStack();
  const log = await openReachableLog(line, clock, events, stopping);
  if (log === null) return null;
  opened.use(log);
  const coordination = await keepTrying(
    'Coordination',
    coordinationPlace(line),
    () => openLineCoordination(line, log, clock),
    patience,
  );
  if (coordination === null) return null;
  opened.use(coordination);
  const registry = await keepTrying(
    'The schema registry',
    line.registry?.url ?? '',
    () => openLineRegistry(line),
    patience,
  );
  if (registry === null && line.registry !== null) return null;
  if (registry !== null) opened.use(registry);
  // From here on the caller disposes.
  const kept = opened.move();
  return {
    log,
    coordination,
    registered: registry?.registered ?? null,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

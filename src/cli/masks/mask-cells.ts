import { MASKS_PATH, type SharedMasks } from '../../config/shared-masks.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ConfigCells } from '../../ports/config-cells.ts';
import type { Coordination } from '../../ports/coordination.ts';
import { coordinationCells } from '../../runtime/coordination-cells.ts';
import { type EventLog, errorFields } from '../event-log.ts';

/** The config cells of a running line, with a line for people when its masks change. `read`: shared masks, when this process can use them; what it throws the topology tells. */
export function maskCells(
  coordination: Coordination,
  clock: Clock,
  events: EventLog,
  read: (value: Uint8Array) => SharedMasks,
): ConfigCells {
  const cells = coordinationCells(coordination, clock, (path, error) =>
    events('warn', 'Changes of the shared config cannot be followed for now; what is in force stays.', {
      path,
      ...errorFields(error),
    }),
  );
  return {
    async watch(path, changed, signal) {
      let first = true;
      await cells.watch(
        path,
        value => {
          changed(value);
          const revision = path === MASKS_PATH && !first && value !== null ? revisionOf(value, read) : null;
          if (revision !== null) {
            events('info', 'Masks were applied to the line; they are in force from the next record on.', {
              revision,
            });
          }
          first = false;
        },
        signal,
      );
    },
  };
}

function revisionOf(value: Uint8Array, read: (value: Uint8Array) => SharedMasks): number | null {
  try {
    return read(value).revision;
  } catch {
    // The topology that refuses it says why.
    return null;
  }
}

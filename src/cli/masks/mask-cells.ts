import { MASKS_PATH } from '../../config/shared-masks.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ConfigCells } from '../../ports/config-cells.ts';
import type { Coordination } from '../../ports/coordination.ts';
import { coordinationCells } from '../../runtime/coordination-cells.ts';
import { type EventLog, errorFields } from '../event-log.ts';

/** The config cells of a running line, with a line for people when its masks change. */
export function maskCells(coordination: Coordination, clock: Clock, events: EventLog): ConfigCells {
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
          if (path === MASKS_PATH && !first) {
            events('info', 'Masks were applied to the line; they are in force from the next record on.', {
              path,
            });
          }
          first = false;
        },
        signal,
      );
    },
  };
}

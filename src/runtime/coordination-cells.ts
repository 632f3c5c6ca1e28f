import type { Clock } from '../ports/clock.ts';
import type { ConfigCells } from '../ports/config-cells.ts';
import type { Coordination } from '../ports/coordination.ts';

/** A path is watched anew so long after its watch has failed. */
const AGAIN_MS = 5_000;

/**
 * Config cells that live in coordination. The first value is read before `watch` resolves; when coordination is away later, the values that were told stay, `lost` is told, and the
 * path is watched anew. Errors of `watch`: UMBUS_COORDINATION_*.
 */
export function coordinationCells(
  coordination: Pick<Coordination, 'get' | 'watch'>,
  clock: Clock,
  lost: (path: string, error: unknown) => void,
): ConfigCells {
  return {
    async watch(path, changed, signal) {
      const first = await coordination.get(path);
      changed(first?.value ?? null);
      let version = first?.version ?? 0n;
      const follow = async (): Promise<void> => {
        for await (const change of coordination.watch(path, signal)) {
          // The prefix names cells below the path as well, and the watch begins with what is there.
          if (change.path !== path || change.version <= version) continue;
          version = change.version;
          changed(change.value);
        }
      };
      const keepFollowing = async (): Promise<void> => {
        while (!signal.aborted) {
          try {
            await follow();
          } catch (error) {
            if (!signal.aborted) lost(path, error);
          }
          await clock.sleep(AGAIN_MS, signal);
        }
      };
      void keepFollowing();
    },
  };
}

import { backoffBounds, backoffMs } from './backoff.ts';
import { codeOf, safeMessageOf } from './dead-letter.ts';
import { passes, type Runner, type RunnerOptions } from './runner.ts';
import { Session } from './session.ts';
import type { ExternalSnapshot, TaskSnapshot } from './snapshot.ts';

/** Runs the tasks of a group that reads the log. Begins a new {@link Session} when one fails in a way that passes. */
export function groupRunner(options: RunnerOptions): Runner {
  const { graph, groupName, clock, random, events, counts, working } = options;
  const stopping = new AbortController();
  let session: Session | null = null;
  const run = async (): Promise<void> => {
    for (let attempt = 1; !stopping.signal.aborted; attempt += 1) {
      session = new Session(options, stopping.signal);
      try {
        await session.run();
        return;
      } catch (error) {
        if (!passes(error)) throw error;
        // What was not committed is not lost: the next start reads it again.
        if (stopping.signal.aborted) return;
        if (session.madeProgress) attempt = 1;
        working(false);
        counts.restarts += 1;
        const delayMs = backoffMs(attempt, { ...backoffBounds, random });
        const code = codeOf(error, 'UMBUS_INTERNAL');
        events.restarted?.({
          topology: graph.name,
          group: groupName,
          code,
          message: safeMessageOf(error),
          attempt,
          delayMs,
        });
        await clock.sleep(delayMs, stopping.signal);
      }
    }
  };
  return {
    run,
    stop: () => stopping.abort(),
    tasks: (): readonly TaskSnapshot[] => session?.tasks() ?? [],
    external: (): ExternalSnapshot | null => null,
    entries: store => session?.entries(store) ?? [],
  };
}

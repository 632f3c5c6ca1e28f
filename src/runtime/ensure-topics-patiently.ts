import type { Graph } from '../topology/graph.ts';
import { backoffBounds, backoffMs } from './backoff.ts';
import { codeOf, safeMessageOf } from './dead-letter.ts';
import { ensureTopics } from './ensure-topics.ts';
import { passes, type RunnerOptions } from './runner.ts';

/** What making topics needs of a deployment. */
type EnsureOptions = Pick<RunnerOptions, 'log' | 'clock' | 'random' | 'events'>;

/**
 * As {@link ensureTopics}, but waits while the log is away, however long, and tells so by `restarted`. Ends early, without topics, when `stopping` aborts. Errors: those
 * that do not pass.
 */
export async function ensureTopicsPatiently(
  graph: Graph,
  group: string,
  options: EnsureOptions,
  stopping: AbortSignal,
): Promise<void> {
  const { log, clock, random, events } = options;
  for (let attempt = 1; !stopping.aborted; attempt += 1) {
    try {
      await ensureTopics(log, graph, group);
      return;
    } catch (error) {
      if (!passes(error)) throw error;
      if (stopping.aborted) return;
      const delayMs = backoffMs(attempt, { ...backoffBounds, random });
      const code = codeOf(error, 'UMBUS_INTERNAL');
      const message = safeMessageOf(error);
      events.restarted?.({ topology: graph.name, group, code, message, attempt, delayMs });
      await clock.sleep(delayMs, stopping);
    }
  }
}

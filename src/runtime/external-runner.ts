import { assert } from '../core/assert.ts';
import { type ErrorCode, isUmbusError, UmbusError } from '../core/errors.ts';
import { backoffBounds, backoffMs } from './backoff.ts';
import { codeOf, safeMessageOf } from './dead-letter.ts';
import { Reading } from './external-reading.ts';
import { reopens } from './external-task.ts';
import type { Runner, RunnerOptions } from './runner.ts';

/** So often the same error is met at the same place, then it stops the topology. */
const MAX_ATTEMPTS = 5;
/** Errors that end when something outside is mended, however long that takes. */
const patientCodes: ReadonlySet<ErrorCode> = new Set([
  'UMBUS_SOURCE_UNREACHABLE',
  'UMBUS_SOURCE_DISCONNECTED',
  'UMBUS_LOG_FULL',
  'UMBUS_LOG_LOCKED',
]);

/** Runs an external source and the stages after it: opens it at the tail of what was written, and anew whenever it ends. */
export function externalRunner(options: RunnerOptions): Runner {
  const { graph, group, clock, random, events, counts, working } = options;
  const stage = group.stages
    .flatMap(index => graph.stages[index] ?? [])
    .find(each => each.kind === 'external');
  assert(stage !== undefined, 'The group has no external source.');
  const stopping = new AbortController();
  let reading: Reading | null = null;
  let lastSeq: string | null = null;

  const run = async (): Promise<void> => {
    let attempt = 0;
    let alike = 0;
    let lastCode: ErrorCode | null = null;
    while (!stopping.signal.aborted) {
      reading = new Reading(options, stage, stopping.signal, lastSeq);
      const end = await reading.run();
      if (end.kind === 'stopped') return;
      const progress = reading.durableSeq !== lastSeq;
      lastSeq = reading.durableSeq;
      const code = end.kind === 'failed' ? codeOf(end.error, 'UMBUS_INTERNAL') : null;
      attempt = progress ? 1 : attempt + 1;
      alike = progress || code !== lastCode ? 1 : alike + 1;
      lastCode = code;
      if (end.kind === 'failed') throwIfFinal(end.error, alike, graph.name);
      if (stopping.signal.aborted) return;
      working(false);
      counts.restarts += 1;
      const delayMs = backoffMs(attempt, { ...backoffBounds, random });
      const message = end.kind === 'failed' ? safeMessageOf(end.error) : 'The connection has ended.';
      events.reconnecting?.({ topology: graph.name, stage: stage.name, code, message, attempt, delayMs });
      await clock.sleep(delayMs, stopping.signal);
    }
  };
  return {
    run,
    stop: () => {
      stopping.abort();
      reading?.wake();
    },
    tasks: () => [],
    external: () =>
      reading?.snapshot() ?? { stage: stage.name, connected: false, inFlightBytes: 0, seq: lastSeq },
  };
}

function throwIfFinal(error: unknown, attempt: number, topology: string): void {
  if (!reopens(error)) throw error;
  const code = codeOf(error, 'UMBUS_INTERNAL');
  if (attempt < MAX_ATTEMPTS || patientCodes.has(code)) return;
  const details = isUmbusError(error) ? error.details : {};
  throw new UmbusError(
    code,
    `Topology '${topology}' met the same error ${attempt} times at the same place and stops: ${safeMessageOf(error)}`,
    { cause: error, details },
  );
}

import { assert } from '../core/assert.ts';
import { type ErrorCode, isUmbusError, UmbusError } from '../core/errors.ts';
import { backoffBounds, backoffMs } from './backoff.ts';
import { codeOf, safeMessageOf } from './dead-letter.ts';
import { type End, Reading } from './external-reading.ts';
import { reopens } from './external-task.ts';
import type { Runner, RunnerOptions } from './runner.ts';
import { SourceLease } from './source-lease.ts';

/** So often the same error is met at the same place, then it stops the topology. */
const MAX_ATTEMPTS = 5;
/** Errors that end when something outside is mended, however long that takes. */
const patientCodes: ReadonlySet<ErrorCode> = new Set([
  'UMBUS_SOURCE_UNREACHABLE',
  'UMBUS_SOURCE_DISCONNECTED',
  'UMBUS_LOG_FULL',
  'UMBUS_LOG_LOCKED',
  'UMBUS_LOG_IO',
  'UMBUS_KAFKA_UNREACHABLE',
  'UMBUS_COORDINATION_UNREACHABLE',
  'UMBUS_COORDINATION_LOST',
]);

/**
 * Runs an external source and the stages after it: opens it at the tail of what was written, and anew whenever it ends. With coordination, only while this process
 * has the lease of the source; a process that loses it stands by until it has it again.
 */
export function externalRunner(options: RunnerOptions): Runner {
  const { graph, group, clock, random, events, counts, working } = options;
  const stage = group.stages
    .flatMap(index => graph.stages[index] ?? [])
    .find(each => each.kind === 'external');
  assert(stage !== undefined, 'The group has no external source.');
  const stopping = new AbortController();
  const lease = new SourceLease(options, stage.name);
  let reading: Reading | null = null;
  let lastSeq: string | null = null;

  const readOnce = async (): Promise<End> => {
    try {
      await lease.take(stopping.signal);
    } catch (error) {
      return stopping.signal.aborted ? { kind: 'stopped' } : { kind: 'failed', error };
    }
    reading = new Reading(options, stage, stopping.signal, lease.lost, lastSeq);
    return await reading.run();
  };
  const readOn = async (): Promise<void> => {
    let attempt = 0;
    let alike = 0;
    let lastCode: ErrorCode | null = null;
    while (!stopping.signal.aborted) {
      const end = await readOnce();
      if (end.kind === 'stopped') return;
      const seq: string | null = reading?.durableSeq ?? null;
      const progress = seq !== lastSeq;
      lastSeq = seq;
      const code = end.kind === 'failed' ? codeOf(end.error, 'UMBUS_INTERNAL') : null;
      attempt = progress ? 1 : attempt + 1;
      alike = progress || code !== lastCode ? 1 : alike + 1;
      lastCode = code;
      if (end.kind === 'failed') throwIfFinal(end.error, alike, options);
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
    async run() {
      try {
        await readOn();
      } finally {
        await lease.release();
      }
    },
    stop: () => {
      stopping.abort();
      reading?.wake();
    },
    tasks: () => [],
    entries: () => [],
    external: () => {
      const idle = { stage: stage.name, connected: false, inFlightBytes: 0, seq: lastSeq };
      return { ...(reading?.snapshot() ?? idle), standby: lease.standby };
    },
  };
}

function throwIfFinal(error: unknown, attempt: number, { graph, coordination }: RunnerOptions): void {
  // Who has the lease may be fenced by one that had lost it and was late to know; that one stops by itself.
  const fencedByLateOne = coordination !== null && isUmbusError(error, 'UMBUS_LOG_FENCED');
  if (!reopens(error) && !fencedByLateOne) throw error;
  const code = codeOf(error, 'UMBUS_INTERNAL');
  if (attempt < MAX_ATTEMPTS || patientCodes.has(code)) return;
  const details = isUmbusError(error) ? error.details : {};
  throw new UmbusError(
    code,
    `Topology '${graph.name}' met the same error ${attempt} times at the same place and stops: ${safeMessageOf(error)}`,
    { cause: error, details },
  );
}

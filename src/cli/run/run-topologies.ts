import type { Clock } from '../../ports/clock.ts';
import type { ConfigCells } from '../../ports/config-cells.ts';
import type { Coordination } from '../../ports/coordination.ts';
import type { Log } from '../../ports/log.ts';
import { type RunningTopology, startTopology } from '../../runtime/start.ts';
import { type EventLog, errorFields } from '../event-log.ts';
import type { RunTelemetry } from '../telemetry/run-telemetry.ts';
import type { ChosenTopology } from './chosen-topologies.ts';
import { topologyLog } from './topology-log.ts';

/** Something that happened since the last line of progress is told this often. */
const PROGRESS_MS = 10_000;

/** What topologies run on. */
export interface RunOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly instance: string;
  /** Name of this process in its groups. */
  readonly member: string;
  /** What this process says of itself to others. */
  readonly about?: Readonly<Record<string, string>>;
  /** Who extracts, when several processes could. */
  readonly coordination?: Coordination;
  /** Where watched paths live. */
  readonly cells?: ConfigCells;
  readonly events: EventLog;
  /** Measures them; null: nothing is measured. */
  readonly telemetry?: RunTelemetry | null;
  /** Stops all of them gracefully. */
  readonly stopping: AbortSignal;
}

/**
 * Runs topologies in this process until `stopping`, then lets each finish what it has read, commit and leave. When one fails the others are
 * stopped the same way, and its error is thrown.
 */
export async function runTopologies(chosen: readonly ChosenTopology[], options: RunOptions): Promise<void> {
  const { events, stopping, clock, telemetry = null, ...shared } = options;
  const ended = new AbortController();
  const running: RunningTopology[] = [];
  const stopAll = (): Promise<unknown> => Promise.all(running.map(topology => topology.stop()));
  let failure: { readonly error: unknown } | null = null;
  const watch = async (topology: RunningTopology): Promise<void> => {
    try {
      await topology.done;
      events('info', 'Topology has stopped; everything it read is committed.', progressOf(topology));
    } catch (error) {
      failure ??= { error };
      events('error', 'Topology has failed; the others are stopped.', {
        topology: topology.name,
        ...errorFields(error),
      });
    }
    ended.abort();
  };
  const watches: Promise<void>[] = [];
  try {
    for (const { definition, config } of chosen) {
      const topology = startTopology(definition, config, {
        ...shared,
        clock,
        events: topologyLog(events, telemetry?.metrics ?? null),
      });
      running.push(topology);
      telemetry?.add(topology);
      watches.push(watch(topology));
      events('info', 'Topology starts.', { topology: topology.name, group: topology.group });
    }
    const progress = reportProgress(running, clock, events, AbortSignal.any([stopping, ended.signal]));
    await untilAborted(AbortSignal.any([stopping, ended.signal]));
    if (stopping.aborted)
      events('info', 'Stopping: what was read is finished and committed. A second signal ends at once.');
    await progress;
  } finally {
    await stopAll();
    await Promise.all(watches);
  }
  // Set by `watch`, which the checker does not see.
  const first = failure as { readonly error: unknown } | null;
  if (first !== null) throw first.error;
}

async function reportProgress(
  running: readonly RunningTopology[],
  clock: Clock,
  events: EventLog,
  signal: AbortSignal,
): Promise<void> {
  const told = new Map<string, string>();
  while (!signal.aborted) {
    await clock.sleep(PROGRESS_MS, signal);
    for (const topology of signal.aborted ? [] : running) {
      const progress = progressOf(topology);
      const text = JSON.stringify(progress);
      if (told.get(topology.name) !== text) events('info', 'Progress since the start.', progress);
      told.set(topology.name, text);
    }
  }
}

function progressOf(topology: RunningTopology) {
  const { counts, tasks } = topology.snapshot();
  const { records, outputs, bytes, commits, duplicates, filtered, skipped, parked, restarts } = counts;
  const lag = tasks.flatMap(task => task.inputs).reduce((sum, input) => sum + input.lagRecords, 0n);
  const some = (count: number): number | undefined => (count === 0 ? undefined : count);
  return {
    topology: topology.name,
    records,
    outputs,
    bytes,
    commits,
    lagRecords: Number(lag),
    duplicates: some(duplicates),
    filtered: some(filtered),
    skipped: some(skipped),
    parked: some(parked),
    restarts: some(restarts),
  };
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

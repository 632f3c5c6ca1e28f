import type { StartOptions } from './start.ts';

/** Wait before another try to show this process. */
const RETRY_MS = 5_000;
/** How long the end of the topology waits until this process is shown no more; what is not told runs out by itself. */
const GOODBYE_MS = 2_000;

/** Shows this process as one that runs the topology, until the signal aborts. Never rejects: a topology runs as well when nobody can see it. */
export async function presence(
  topology: string,
  options: Pick<StartOptions, 'coordination' | 'instance' | 'member' | 'about' | 'clock'>,
  signal: AbortSignal,
): Promise<void> {
  const { coordination, instance, member = 'member', about = {}, clock } = options;
  if (coordination === undefined) return;
  const id = `${instance}/${member}/${topology}`;
  const info = { ...about, topologies: topology, since: new Date(clock.now()).toISOString() };
  const show = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        await using _shown = await coordination.announce({ id, info });
        await ended(signal);
      } catch {
        await clock.sleep(RETRY_MS, signal);
      }
    }
  };
  const shown = show();
  await ended(signal);
  const goodbye = new AbortController();
  await Promise.race([shown, clock.sleep(GOODBYE_MS, goodbye.signal)]);
  goodbye.abort();
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

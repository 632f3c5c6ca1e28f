import { performance } from 'node:perf_hooks';
import type { Clock } from '../ports/clock.ts';

/** Beyond this distance from the wall clock the finer one is set anew: the wall clock was adjusted, or the machine slept. */
const DRIFT_MS_MAX = 2;
/** The longest delay that a Node timer takes; longer sleeps are cut into pieces. */
const TIMER_MS_MAX = 2_147_483_647;

let base = Date.now() - performance.now();

/** The real time, with microseconds. Follows adjustments of the wall clock within 2 ms. A pending sleep keeps the process alive. */
export const systemClock: Clock = {
  now() {
    const wall = Date.now();
    const fine = base + performance.now();
    if (Math.abs(fine - wall) <= DRIFT_MS_MAX) return fine;
    base = wall - performance.now();
    return wall;
  },
  async sleep(ms, signal) {
    for (let left = ms; left > 0 && signal?.aborted !== true; left -= TIMER_MS_MAX) {
      await timer(Math.min(left, TIMER_MS_MAX), signal);
    }
  },
};

function timer(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise(resolve => {
    const end = (): void => {
      clearTimeout(timeout);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timeout = setTimeout(end, ms);
    signal?.addEventListener('abort', end, { once: true });
  });
}

import { setTimeout as delay } from 'node:timers/promises';

/** Waits until `condition` holds, asking every few milliseconds; throws after `deadlineMs`, naming what was waited for. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = 30_000,
): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`Waited ${deadlineMs} ms in vain for: ${what}.`);
    await delay(5);
  }
}

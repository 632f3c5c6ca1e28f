import { type RunningLine, startLine, type TestLineOptions } from './running-line.ts';
import { type SlowLog, slowLog } from './slow-log.ts';

/** A line whose topologies reach their log by a way that a test slows down. */
export async function startSlowLine(
  options: TestLineOptions,
): Promise<{ readonly line: RunningLine; readonly way: SlowLog }> {
  let way: SlowLog | null = null;
  const line = await startLine({
    ...options,
    way: log => {
      way ??= slowLog(log);
      return way.log;
    },
  });
  // Set above, which the checker does not see.
  const made = way as SlowLog | null;
  if (made === null) throw new Error('No topology has asked for its log.');
  return { line, way: made };
}

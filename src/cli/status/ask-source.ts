import type { Line } from '../../config/line.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ExtractorStatus, SourceStatus } from './line-status.ts';
import { sourceAbsent, sourceLag } from './source-lag.ts';

/** Asks the server of a line where its binlog stands, and measures the extractor against it. Never rejects: a server that does not answer is told as such. */
export async function askSource(
  line: Line,
  extractor: ExtractorStatus | null,
  clock: Clock,
  signal: AbortSignal,
): Promise<SourceStatus> {
  const { sourceStatus } = await import('../../adapters/mysql/index.ts');
  try {
    const { file, position, gtid, binlogs, kept } = await sourceStatus(line.source, signal);
    return sourceLag({ file, position, gtid, files: binlogs, kept }, extractor, clock.now());
  } catch (error) {
    // A server that is down is something to tell, not a reason to hide what the log knows.
    return sourceAbsent(error);
  }
}

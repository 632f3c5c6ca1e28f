import { Buffer } from 'node:buffer';
import type { ShardTask } from '../../change/pull-job.ts';
import { isUmbusError } from '../../core/errors.ts';
import type { Log } from '../../ports/log.ts';
import type { CopyCells, CopyProgress } from './copy-cells.ts';

/** Header of the last record of each page of an independent pull, with {@link CopiedPage} as JSON. */
export const COPY_HEADER = 'copy';

/** What a page says of its shard: it is written with its rows, in one append. */
export interface CopiedPage {
  readonly pull: string;
  readonly shard: number;
  /** Where the shard goes on behind it. */
  readonly next: string;
  /** Rows of the shard so far. */
  readonly rows: number;
}

/** How far a shard is. */
export type CopiedRows = Pick<CopyProgress, 'next' | 'rows'>;

const READ_BYTES = 1024 * 1024;

/**
 * How far a shard is: what its topic has of it, since whoever began it may have died between any two pages. Notes where that was looked at, from where the next one looks on; before there is a page, where the first can stand.
 * To be asked by who has the shard's writer, so that nothing more comes meanwhile. Errors: UMBUS_LOG_*, UMBUS_COORDINATION_*; the signal's reason.
 */
export async function copiedRows(
  { pull, shard, to }: ShardTask,
  { log, cells }: { readonly log: Log; readonly cells: CopyCells },
  signal: AbortSignal,
): Promise<CopiedRows> {
  const place = { topic: to ?? '', partition: 0 };
  const end = await log.offset(place, 'latest');
  const noted = await cells.progress(pull, shard);
  let { next, rows } = noted ?? { next: null, rows: 0 };
  for (let offset = noted === null ? end : BigInt(noted.offset); offset < end; ) {
    const at = { ...place, offset };
    try {
      const batch = await log.read(at, { maxBytes: READ_BYTES, maxWaitMs: 0 }, signal);
      for (const { headers } of batch.records) {
        const page = pageOf(headers[COPY_HEADER]);
        if (page?.pull === pull && page.shard === shard) ({ next, rows } = page);
      }
      if (batch.nextOffset <= offset) break;
      offset = batch.nextOffset;
    } catch (error) {
      if (!isUmbusError(error, 'UMBUS_LOG_OFFSET_GONE')) throw error;
      offset = await log.offset(place, 'earliest');
    }
  }
  // Whoever was given up for dead may write here what was true when it looked: then more is looked at, and nothing is overlooked.
  await cells.setProgress(pull, shard, { offset: String(end), next, rows });
  return { next, rows };
}

/** The header of a page. */
export function copyHeader(page: CopiedPage): Buffer {
  return Buffer.from(JSON.stringify(page), 'utf8');
}

function pageOf(header: Uint8Array | undefined): CopiedPage | null {
  if (header === undefined) return null;
  try {
    // What copyHeader wrote; others may write to the topic too.
    return JSON.parse(Buffer.from(header).toString('utf8')) as CopiedPage;
  } catch {
    return null;
  }
}

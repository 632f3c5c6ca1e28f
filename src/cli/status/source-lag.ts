import { type BinlogFiles, type BinlogHorizon, binlogHorizon } from '../../change/binlog-horizon.ts';
import { isUmbusError, messageOf } from '../../core/errors.ts';
import { type BinlogExtent, bytesBetween } from './lag.ts';
import type { ExtractorStatus, SourceStatus } from './line-status.ts';

/** Where a server's binlog ends, and its files, oldest first. */
export interface ServerEnd {
  readonly file: string;
  readonly position: number;
  readonly gtid: string;
  readonly files: readonly BinlogExtent[];
  /** How long they are kept; null where it is not known. */
  readonly kept?: BinlogFiles | null;
}

/** What a server that answered says, measured against where the extractor has got to. `nowMs`: milliseconds since 1970-01-01 UTC. */
export function sourceLag(server: ServerEnd, extractor: ExtractorStatus | null, nowMs: number): SourceStatus {
  const { file, position, gtid, files } = server;
  const lagBytes = extractor === null ? null : bytesBetween(files, extractor, server);
  return {
    reachable: true,
    file,
    position,
    gtid,
    lagBytes,
    lagSeconds: lagBytes === null || extractor === null ? null : secondsBehind(lagBytes, extractor, nowMs),
    binlogBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    retention: retentionOf(server, extractor),
    positionGone: extractor !== null && !files.some(each => each.name === extractor.file),
  };
}

/** How long the server keeps what the extractor has not read. */
function retentionOf({ kept = null }: ServerEnd, extractor: ExtractorStatus | null): BinlogHorizon | null {
  if (kept === null || extractor === null) return null;
  const { file, position, eventAt, capturedAt } = extractor;
  return binlogHorizon(kept, { file, position, writtenMs: Date.parse(eventAt ?? capturedAt) }, null);
}

/** What stands for a server that did not answer. */
export function sourceAbsent(error: unknown): SourceStatus {
  const code = isUmbusError(error) ? error.code : 'UMBUS_SOURCE_UNREACHABLE';
  return { reachable: false, code, message: messageOf(error) };
}

function secondsBehind(lagBytes: number, extractor: ExtractorStatus, nowMs: number): number {
  if (lagBytes === 0) return 0;
  const at = Date.parse(extractor.eventAt ?? extractor.capturedAt);
  return Math.max(0, Math.round((nowMs - at) / 1000));
}

/** The source's binlog, and how long it keeps it. */
export interface BinlogFiles {
  /** Oldest first, with their sizes in bytes. The last one is being written. */
  readonly files: readonly { readonly file: string; readonly bytes: number }[];
  /** Files that were closed longer ago than this are deleted; null: never by age. */
  readonly expireSeconds: number | null;
  /** The oldest files are deleted when all together are larger than this; null: never by size. */
  readonly maxTotalBytes: number | null;
  /** When this was read, by the source's clock: milliseconds since 1970-01-01 UTC. */
  readonly atMs: number;
}

/** Where a line has read to. */
export interface ReadPlaceOf {
  readonly file: string;
  readonly position: number;
  /** When the source wrote what comes there, or wrote the last before it, by the source's clock: milliseconds; null when not known. */
  readonly writtenMs: number | null;
}

/** How long the source still has what a line has not read. */
export interface BinlogHorizon {
  /** Bytes of binlog behind the place. */
  readonly unreadBytes: number;
  /** Bytes that the source has in all. */
  readonly totalBytes: number;
  /** Bytes an hour that the source writes; null before it was seen twice. */
  readonly bytesPerHour: number | null;
  /**
   * Milliseconds until the file of the place may be deleted when nothing more is read: 0 when it may be now. Null: it is not deleted by itself. Never too long: by age it
   * counts from the time of the place, and the file is closed only later.
   */
  readonly leftMs: number | null;
  /** What ends it. */
  readonly by: 'age' | 'size' | null;
  /** The file is gone already. */
  readonly lost: boolean;
}

/** An earlier look at the same source, to tell how it grows. */
export interface EarlierLook {
  readonly atMs: number;
  /** The file that was written then, and its bytes. */
  readonly file: string;
  readonly bytes: number;
}

const HOUR_MS = 3_600_000;
/** Two looks that are closer than this say nothing about growth. */
const MIN_SPAN_MS = 1_000;

/** How long the source still has what the line has not read, from what it keeps, how it grows and where the line stands. Pure. */
export function binlogHorizon(
  binlog: BinlogFiles,
  place: ReadPlaceOf,
  before: EarlierLook | null,
): BinlogHorizon {
  const { files, expireSeconds, maxTotalBytes, atMs } = binlog;
  const at = files.findIndex(({ file }) => file === place.file);
  const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const fromPlace = files.slice(Math.max(at, 0)).reduce((sum, { bytes }) => sum + bytes, 0);
  const unreadBytes = Math.max(0, at < 0 ? totalBytes : fromPlace - place.position);
  const bytesPerHour = growth(binlog, before);
  const base = { unreadBytes, totalBytes, bytesPerHour };
  if (at < 0 && files.length > 0) return { ...base, leftMs: 0, by: null, lost: true };
  // The file that is being written is deleted only after it was closed, from when on its age counts.
  const open = at === files.length - 1;
  const age = open || place.writtenMs === null ? 0 : Math.max(0, atMs - place.writtenMs);
  const byAge = expireSeconds === null ? null : Math.max(0, expireSeconds * 1000 - age);
  const bySize = sizeLeftMs(maxTotalBytes, fromPlace, bytesPerHour);
  if (byAge === null && bySize === null) return { ...base, leftMs: null, by: null, lost: false };
  if (bySize === null || (byAge !== null && byAge <= bySize))
    return { ...base, leftMs: byAge, by: 'age', lost: false };
  return { ...base, leftMs: bySize, by: 'size', lost: false };
}

/** What a later look is compared with. */
export function lookOf({ files, atMs }: BinlogFiles): EarlierLook | null {
  const last = files.at(-1);
  return last === undefined ? null : { atMs, file: last.file, bytes: last.bytes };
}

function growth({ files, atMs }: BinlogFiles, before: EarlierLook | null): number | null {
  if (before === null || atMs - before.atMs < MIN_SPAN_MS) return null;
  const from = files.findIndex(({ file }) => file === before.file);
  if (from < 0) return null;
  const written = files.slice(from).reduce((sum, { bytes }) => sum + bytes, 0) - before.bytes;
  return Math.max(0, (written * HOUR_MS) / (atMs - before.atMs));
}

function sizeLeftMs(
  maxTotalBytes: number | null,
  fromPlace: number,
  bytesPerHour: number | null,
): number | null {
  if (maxTotalBytes === null) return null;
  const room = Math.max(0, maxTotalBytes - fromPlace);
  if (room === 0) return 0;
  if (bytesPerHour === null || bytesPerHour === 0) return null;
  return Math.round((room * HOUR_MS) / bytesPerHour);
}

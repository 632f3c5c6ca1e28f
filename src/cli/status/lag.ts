/** A binlog file of the server. */
export interface BinlogExtent {
  readonly name: string;
  readonly sizeBytes: number;
}

/** A place in a binlog. */
export interface BinlogPlace {
  readonly file: string;
  readonly position: number;
}

/** Bytes between two places, counting the files between them whole. Null when the file of `from` is not in the list. */
export function bytesBetween(
  files: readonly BinlogExtent[],
  from: BinlogPlace,
  to: BinlogPlace,
): number | null {
  const first = files.findIndex(file => file.name === from.file);
  const last = files.findIndex(file => file.name === to.file);
  if (first < 0 || last < 0) return null;
  if (first > last) return 0;
  if (first === last) return Math.max(0, to.position - from.position);
  const between = files.slice(first + 1, last).reduce((sum, file) => sum + file.sizeBytes, 0);
  return Math.max(0, (files[first]?.sizeBytes ?? 0) - from.position) + between + to.position;
}

/** What a topology, or one of its tasks, has done since its start. */
export interface Counts {
  /** Input records read, duplicates included. */
  records: number;
  /** Dropped because their seq was at or below the lane's watermark. */
  duplicates: number;
  /** Not let through by a filter or a branch. */
  filtered: number;
  /** Dropped by the policy `skip`. */
  skipped: number;
  /** Sent to the dead-letter topic. */
  parked: number;
  /** Records written, changelogs included. */
  outputs: number;
  /** Bytes of keys and values written. */
  bytes: number;
  /** Commits that became durable. */
  commits: number;
  /** Times that a group began again, or an external source was opened again. */
  restarts: number;
}

/** All zero. */
export function zeroCounts(): Counts {
  return {
    records: 0,
    duplicates: 0,
    filtered: 0,
    skipped: 0,
    parked: 0,
    outputs: 0,
    bytes: 0,
    commits: 0,
    restarts: 0,
  };
}

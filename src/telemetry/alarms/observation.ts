/**
 * What is seen of a line in one round. Everything is asked from outside of the topologies: from the source, from the log and from coordination. So a topology that hangs cannot
 * say that it is well. Times are milliseconds since 1970-01-01 UTC by the clock of whoever looks, unless a comment says otherwise.
 */
export interface Observation {
  readonly nowMs: number;
  readonly source: SourceSeen;
  /** Null when the log did not answer; the reason is in `logProblem`. */
  readonly log: LogSeen | null;
  readonly logProblem: string | null;
  /** Names of topologies of the line that a live process shows; null when coordination did not answer. */
  readonly running: ReadonlySet<string> | null;
  /** Topologies that should run. */
  readonly expected: readonly string[];
  /** Full pulls that are not over, and those that failed; null when coordination did not answer. */
  readonly pulls: readonly WatchedPull[] | null;
  /** Receivers of alarms that gave alarms up since the round before, with how many. */
  readonly refused: Readonly<Record<string, number>>;
}

/** A full pull that somebody may have to look at. Times are milliseconds since 1970-01-01 UTC. `table`: `schema.table`. */
export type WatchedPull =
  | {
      readonly kind: 'open';
      readonly pull: string;
      readonly table: string;
      readonly status: string;
      /** When something came of it last. */
      readonly progressMs: number;
      /** Whether it is right that nothing comes: it is paused, waits for others, or is slow and somebody is at work. */
      readonly meant: boolean;
    }
  /** The newest one of its table. */
  | {
      readonly kind: 'failed';
      readonly pull: string;
      readonly table: string;
      readonly code: string;
      readonly message: string;
      readonly endedMs: number;
    };

/** A table whose changes and heartbeats wait in the appender until a full pull of it is over. */
export interface HeldSeen {
  /** `schema.table`, as its heartbeats call it. */
  readonly table: string;
  readonly pull: string;
  /** Since when, by the clock of the source. */
  readonly sinceMs: number;
  readonly bytes: number;
  /** With more the pull ends. */
  readonly mostBytes: number;
}

/** The source, asked in this round. */
export type SourceSeen =
  | {
      readonly reachable: true;
      readonly file: string;
      readonly position: number;
      /** Binlog bytes behind the extractor; null when it has landed nothing, or its file is gone. */
      readonly lagBytes: number | null;
      readonly positionGone: boolean;
      /** When the source is a replica itself. */
      readonly replica: ReplicaSeen | null;
    }
  | { readonly reachable: false; readonly code: string; readonly message: string };

/** A replica as it tells of itself. */
export interface ReplicaSeen {
  /** Seconds behind its own source; null while it does not replicate. */
  readonly secondsBehind: number | null;
}

/** The log, read in this round. */
export interface LogSeen {
  /** The newest run on `<ds>`; null before the first. */
  readonly landed: { readonly file: string; readonly position: number; readonly capturedMs: number } | null;
  /** Groups with something to read. */
  readonly lags: readonly GroupLag[];
  readonly tables: readonly TableSeen[];
  readonly held: readonly HeldSeen[];
  readonly heartbeat: HeartbeatSeen | null;
  readonly space: {
    readonly usedBytes: number | null;
    readonly maxBytes: number | null;
    readonly diskFreeBytes: number | null;
  };
  /** How long the source still has what was not read; null when not known. */
  readonly purge: { readonly leftMs: number | null; readonly lost: boolean } | null;
}

/** A group that has not read all of a partition. */
export interface GroupLag {
  readonly group: string;
  /** Topology of the line that the group belongs to; null for consumers. */
  readonly topology: string | null;
  readonly topic: string;
  readonly partition: number;
  readonly records: number;
  /** When the oldest record that it has not read was written or captured; null when that is not known. */
  readonly oldestMs: number | null;
}

/** A table of the line. */
export interface TableSeen {
  /** `schema.table`. */
  readonly table: string;
  readonly parked: { readonly code: string; readonly events: number; readonly since: string } | null;
}

/** The heartbeats, null when the line does not beat. */
export interface HeartbeatSeen {
  /** When the newest round began that the source has; null before the first. */
  readonly roundMs: number | null;
  /** How far apart rounds are; by cron expression, how far the newest were at the most, and null before the second. */
  readonly gapMs: number | null;
  /** Why rounds fail since then; null when they do not. */
  readonly trouble: { readonly code: string; readonly message: string; readonly atMs: number } | null;
  /** When the newest round began that passed each hop, by table; of tables that have heartbeats now. */
  readonly tables: readonly TableBeats[];
}

/** Rounds of a table. Null: none yet. */
export interface TableBeats {
  /** `schema.table`. */
  readonly table: string;
  readonly dispatchedMs: number | null;
  readonly appendedMs: number | null;
  readonly readMs: number | null;
  /** Whether the appender says that it is parked: its rows are not expected. */
  readonly parked: boolean;
}

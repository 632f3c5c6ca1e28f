import type { BinlogHorizon } from '../../change/binlog-horizon.ts';
import type { Line } from '../../config/line.ts';

/** What `umbus status` says of a line; also its `--json`. Times are ISO 8601 in UTC, sizes bytes, lags as named. */
export interface LineStatus {
  readonly ds: string;
  readonly at: string;
  /** Where the extractor has got to; null before its first record. */
  readonly extractor: ExtractorStatus | null;
  readonly source: SourceStatus;
  readonly topics: readonly TopicStatus[];
  readonly groups: readonly GroupStatus[];
  readonly tables: readonly TableStatus[];
  readonly dead: DeadStatus;
  /** `place`: its directory, or the brokers. `bytes` of the line's topics; `maxBytes` null where nothing bounds them together. */
  readonly log: {
    readonly kind: Line['log']['kind'];
    readonly place: string;
    readonly bytes: number | null;
    readonly maxBytes: number | null;
  };
  readonly pulls: PullsStatus;
  /** Tables whose changes and heartbeats wait in the appender until a full pull of them is over. */
  readonly held: readonly HeldStatus[];
  /** Whether somebody has to look: a table is parked, or a dead letter belongs to no table. */
  readonly attention: boolean;
}

/** From the newest record of `<ds>`. */
export interface ExtractorStatus {
  readonly server: string;
  readonly epoch: number;
  readonly file: string;
  /** Offset after the last event that was read. */
  readonly position: number;
  /** GTID set executed before the open transaction; '' without GTIDs. */
  readonly gtid: string;
  readonly capturedAt: string;
  /** Time of the last event landed, in whole seconds as the source gives it; null when the newest record holds none. */
  readonly eventAt: string | null;
}

/** From the server, asked now. */
export type SourceStatus =
  | {
      readonly reachable: true;
      readonly file: string;
      readonly position: number;
      readonly gtid: string;
      /** Binlog bytes that the extractor has not read; null when it has read nothing, or its file is gone. */
      readonly lagBytes: number | null;
      /** Age of the last event landed when there are bytes to read, else 0; null when not known. */
      readonly lagSeconds: number | null;
      /** The file that comes next is not on the server any more. */
      readonly positionGone: boolean;
      /** How long the server keeps what the extractor has not read; null before it has read anything. */
      readonly retention: BinlogHorizon | null;
      /** Size of all binlog files that the server keeps. */
      readonly binlogBytes: number;
    }
  | { readonly reachable: false; readonly code: string; readonly message: string };

/** A topic of the log, partitions added up. */
export interface TopicStatus {
  readonly topic: string;
  readonly partitions: number;
  /** Kept offsets; of compacted topics an upper bound of the records. */
  readonly records: bigint;
  readonly bytes: number | null;
}

/** A consumer group on a partition that it has committed. */
export interface GroupStatus {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly end: bigint;
  readonly lagRecords: bigint;
}

/** A published table, from the appender's store. */
export interface TableStatus {
  /** `schema.table`. */
  readonly table: string;
  readonly version: number;
  readonly inserts: number;
  readonly updates: number;
  readonly deletes: number;
  readonly messages: number;
  /** Values published as marks, since their bytes are no text of their character set. */
  readonly marks: number;
  /** `ums_ts_` of the newest row; '' before the first. */
  readonly lastTs: string;
  readonly parked: {
    readonly since: string;
    readonly code: string;
    readonly message: string;
    readonly events: number;
  } | null;
}

/** Full pulls, from coordination. */
export type PullsStatus =
  | {
      readonly known: true;
      /** Not over. */
      readonly open: readonly OpenPullStatus[];
      /** The newest one of its table, failed within a week. */
      readonly failed: readonly FailedPullStatus[];
    }
  | { readonly known: false; readonly code: string; readonly message: string };

/** A full pull that is not over. */
export interface OpenPullStatus {
  readonly pull: string;
  /** `schema.table`. */
  readonly table: string;
  /** `waiting` for the line, `splitting`, `pulling`, `paused` or `cancelling`. */
  readonly status: string;
  readonly mode: string;
  readonly askedAt: string;
  /** Null while the table is still cut. */
  readonly shards: number | null;
  readonly shardsDone: number;
  readonly rows: number;
  /** As the server estimated them when the pull began; 0 before. */
  readonly rowsEstimate: number;
  /** Since it began. */
  readonly rowsPerSecond: number;
  /** Why nothing comes of it; null: nothing holds it up. */
  readonly waits: string | null;
}

/** A full pull that failed. */
export interface FailedPullStatus {
  readonly pull: string;
  readonly table: string;
  readonly code: string;
  readonly message: string;
  readonly endedAt: string;
}

/** What waits of a table for its full pull. */
export interface HeldStatus {
  /** `schema.table`, in the source. */
  readonly table: string;
  readonly pull: string;
  /** By the clock of the source. */
  readonly since: string;
  readonly messages: number;
  readonly bytes: number;
  /** `pull.heldBytes`: with more the pull ends. */
  readonly maxBytes: number;
}

/** Dead letters that are still kept. */
export interface DeadStatus {
  readonly topic: string;
  readonly records: number;
  /** Dead letters that wait for a replay; the others of a table have been replayed. */
  readonly waiting: number;
  /** Dead letters that belong to no table: `umbus parked list` shows them. */
  readonly others: number;
}

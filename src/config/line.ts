import type { CommandOptions, MailOptions, WebhookOptions } from '../adapters/alarms/index.ts';
import type { KafkaCompression, KafkaConnection } from '../adapters/kafka/options.ts';
import type { InfluxdbOptions } from '../adapters/telemetry/influxdb.ts';
import type { OtlpOptions } from '../adapters/telemetry/otlp.ts';
import type { StartPoint } from '../ports/change-source.ts';
import type { LateRule } from '../telemetry/alarms/thresholds.ts';
import type { Verdict } from '../ums/table-schema.ts';
import type { BeatEvery } from './heartbeat-schema.ts';
import type { LineMask } from './resolve-masks.ts';

/** A data line, resolved: every default filled in, every secret read. Frozen. Made by `loadLine` from a YAML file. */
export interface Line {
  /** Name of the data source: letters, digits, `_` and `-`. */
  readonly ds: string;
  readonly source: {
    readonly kind: 'mysql';
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly password: string;
    /** Replica server id that the extractor registers with; unique among the server's replicas. */
    readonly serverId: number;
    /** Null: no TLS. `ca`, `cert` and `key` are PEM texts, not paths; null where not given. */
    readonly tls: {
      readonly ca: string | null;
      readonly cert: string | null;
      readonly key: string | null;
      readonly verify: boolean;
    } | null;
    readonly start: StartPoint;
  };
  /** By schema name, exactly as the server writes it. */
  readonly schemas: Readonly<Record<string, LineSchema>>;
  readonly log: EmbeddedLogSettings | KafkaLogSettings;
  readonly guarantee: Guarantee;
  readonly coordination: CoordinationSettings;
  /** Null: raw runs carry the fixed schema id of `ums-schema/`, and no result topic is Avro. */
  readonly registry: RegistrySettings | null;
  /** Null: the line inserts no heartbeats. */
  readonly heartbeat: HeartbeatSettings | null;
  readonly pull: PullSettings;
  /** Where umbus has tables of its own in the source. */
  readonly signals: { readonly schema: string };
  readonly masking: MaskingSettings;
  readonly topics: {
    /** Partitions of each `<ds>.<schema>` and its result topic. */
    readonly partitions: number;
    readonly retentionMs: number | null;
    /** Per partition. */
    readonly retentionBytes: number | null;
  };
  readonly extractor: {
    /** A run is closed at this size. */
    readonly runBytes: number;
  };
  readonly appender: {
    readonly maxRows: number;
    readonly maxBytes: number;
    /** IANA name or `UTC`; the zone of `ums_ts_` and of TIMESTAMP columns. */
    readonly timeZone: string;
  };
  readonly alarms: AlarmSettings;
  readonly metrics: MetricsSettings;
}

/** Who is told when people should look, and of what. Nobody watches the line when there is no receiver. */
export interface AlarmSettings extends AlarmRuleSettings {
  readonly webhooks: readonly WebhookOptions[];
  readonly mail: Omit<MailOptions, 'name'> | null;
  readonly commands: readonly CommandOptions[];
  /** An alarm that is not taken for so long is given up. */
  readonly retryForMs: number;
}

/** What is an alarm. */
export interface AlarmRuleSettings {
  /** How often the line is looked at. */
  readonly everyMs: number;
  readonly late: LateRule;
  /** In the order of the file; the first that matches counts. */
  readonly tables: readonly { readonly pattern: string; readonly rule: LateRule }[];
  /** Patterns of consumer groups of others. */
  readonly consumers: readonly string[];
  readonly purgeMs: number;
  /** Null: never. */
  readonly pullIdleMs: number | null;
  readonly logPercent: number;
  readonly diskFreeBytes: number;
  readonly clearMs: number;
  readonly repeatMs: number;
  /** From which verdict on a change of a table's columns is told. */
  readonly schemaChanges: Verdict | 'none';
}

/** What each process of a line measures, and where it goes. */
export interface MetricsSettings {
  /** How often the source and the log are asked. */
  readonly everyMs: number;
  /** Most tables with values of their own. */
  readonly maxTables: number;
  /** Null: not served. */
  readonly prometheus: { readonly host: string; readonly port: number } | null;
  /** Null: nothing is written. */
  readonly influxdb: (InfluxdbOptions & { readonly everyMs: number }) | null;
  /** Null: no traces. `sample`: one of so many rounds. */
  readonly otlp: (OtlpOptions & { readonly sample: number }) | null;
}

/** How a line beats. */
export interface HeartbeatSettings {
  readonly every: BeatEvery;
  readonly rows: 'line' | 'schema';
  /** Rows of the line that stay in the source. */
  readonly keep: number;
  readonly timeoutMs: number;
  readonly statistics: boolean;
}

/** A durable log in a directory of this machine. `dir` is absolute. */
export interface EmbeddedLogSettings {
  readonly kind: 'embedded';
  readonly dir: string;
  readonly maxBytes: number;
}

/** A Kafka cluster. The brokers' addresses and how to get in are those of the adapter. */
export interface KafkaLogSettings extends KafkaConnection {
  readonly kind: 'kafka';
  /** Copies of each partition of topics that are made; null: the broker's default. */
  readonly replicationFactor: number | null;
  readonly compression: KafkaCompression;
  /** Largest record, in bytes: `max.message.bytes` of topics that are made. */
  readonly maxRecordBytes: number;
  /** Whether missing topics are made. False: their absence is an error that says how to make them. */
  readonly createTopics: boolean;
  /** A member that is silent for so long is taken for dead, and its partitions go to the others. */
  readonly sessionTimeoutMs: number;
}

/**
 * `at-least-once` and `effectively-once`: watermarks drop repeats at every hop, and a reader may see a repeat with the same ids after a crash. `exactly-once`: Kafka
 * transactions besides, so that a `read_committed` reader sees each record once. The embedded log is always exactly-once.
 */
export type Guarantee = 'at-least-once' | 'effectively-once' | 'exactly-once';

/** Where leases, members, shared config and progress live. `log`: beside the embedded log, or on Kafka itself. */
export type CoordinationSettings =
  | { readonly kind: 'log' }
  | {
      readonly kind: 'zookeeper';
      /** `host:port`, at least one. */
      readonly servers: readonly string[];
      /** Path below which all nodes of umbus lie, such as `/umbus`. */
      readonly root: string;
      readonly sessionTimeoutMs: number;
    };

/** A Confluent-compatible schema registry. */
export interface RegistrySettings {
  readonly url: string;
  readonly username: string | null;
  readonly password: string | null;
  /** Set on each subject of a result topic in Avro. */
  readonly compatibility:
    | 'NONE'
    | 'BACKWARD'
    | 'BACKWARD_TRANSITIVE'
    | 'FORWARD'
    | 'FORWARD_TRANSITIVE'
    | 'FULL'
    | 'FULL_TRANSITIVE';
}

/** Full pulls. */
export interface PullSettings {
  /** Shards that a process reads at a time. */
  readonly concurrency: number;
  /** What may be before pulls wait; null: anything. */
  readonly backOff: {
    readonly threadsRunning: number | null;
    readonly replicationLagMs: number | null;
    readonly lineLagMs: number | null;
  };
  /** Where rows are read; null: in the source. TLS is as the source's. */
  readonly replica: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly password: string;
    readonly timeoutMs: number;
  } | null;
  /** Most bytes of messages of a table that wait for the end of its pull. */
  readonly heldBytes: number;
}

/** What masks need beside their rules. */
export interface MaskingSettings {
  /** Secrets by name. */
  readonly keys: Readonly<Record<string, string>>;
  /** What a function of the user's may take for one value. */
  readonly timeoutMs: number;
  /** Absolute; modules of functions count from here: the directory of the line file. */
  readonly directory: string;
}

/** How the result topic of a schema is laid out. */
export interface ResultSettings {
  /** Null: as many as `topics.partitions`, and a row is in the partition of its table. */
  readonly partitions: number | null;
  /**
   * `table`: all rows of a table in one partition, in order. `primary-key`: by the row's key, so that order is kept for each key; a change of key goes as a delete
   * and an insert.
   */
  readonly placeBy: 'table' | 'primary-key';
  /** By pattern of table names: columns that place rows instead of the primary key. First match wins. */
  readonly placeColumns: Readonly<Record<string, readonly string[]>>;
  readonly format: 'json' | 'avro';
}

export interface LineSchema {
  /** Patterns with `*` and `?`; a table is subscribed when one of `tables` and none of `exclude` matches. */
  readonly tables: readonly string[];
  readonly exclude: readonly string[];
  /** Patterns of tables whose updates carry a `b` row. */
  readonly beforeImage: readonly string[];
  /** Tables that are published as one, by the name they have then: patterns of their own names. The first that matches counts. */
  readonly logical: Readonly<Record<string, readonly string[]>>;
  /** Whether tables are pulled when they are first found. */
  readonly initial: 'none' | 'pull';
  /** What masks columns; the first pattern that matches counts. */
  readonly masks: readonly LineMask[];
  readonly result: ResultSettings;
}

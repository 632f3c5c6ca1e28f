import type { ErrorCode } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';

/** What batches are compressed with; readers know it by themselves. */
export type KafkaCompression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** How to reach the brokers. Secrets stand here in the clear, and in no message. */
export interface KafkaConnection {
  /** `host:port`, at least one: where the others are asked for. */
  readonly brokers: readonly string[];
  /** Null: plain TCP. `ca`, `cert` and `key` are PEM texts; null where not given. */
  readonly tls: {
    readonly ca: string | null;
    readonly cert: string | null;
    readonly key: string | null;
    readonly verify: boolean;
  } | null;
  /** Null: no login. */
  readonly sasl: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
    readonly username: string;
    readonly password: string;
  } | null;
}

/** What the log on Kafka is opened with. */
export interface KafkaLogOptions extends KafkaConnection {
  /** Name of this process in the brokers' logs and quotas. */
  readonly clientId: string;
  /** Copies of each partition of topics that are made; null: the broker's default. */
  readonly replicationFactor: number | null;
  readonly compression: KafkaCompression;
  /** `max.message.bytes` of topics that are made, and the largest record that can be written; in bytes. */
  readonly maxRecordBytes: number;
  /** Whether `ensureTopics` makes missing topics; false: UMBUS_LOG_UNKNOWN_TOPIC that says how to make them. */
  readonly createTopics: boolean;
  /** Outputs and offsets in one transaction, and reading with `read_committed`. False: idempotent produce, then offsets. */
  readonly transactions: boolean;
  /** How long a member may be silent before its partitions go to others; default 10,000 ms. */
  readonly sessionTimeoutMs?: number;
  /** How long a hand-over waits for work in flight to be committed; default 5,000 ms. */
  readonly handOverMs?: number;
  readonly clock: Clock;
  /** Told of what passes by itself, such as a broker that is away; never a record's content. */
  readonly onNotice?: (notice: KafkaNotice) => void;
}

/** Something that the log goes on after. */
export interface KafkaNotice {
  readonly kind: 'broker-unreachable' | 'broker-back' | 'rebalance' | 'retry';
  /** Of the error that it goes on after. */
  readonly code?: ErrorCode;
  /** A whole sentence, without secrets and without content of records. */
  readonly message: string;
}

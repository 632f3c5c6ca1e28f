import { type ErrorCode, type ErrorDetails, UmbusError } from '../../core/errors.ts';

/**
 * What helps after an error of a broker:
 * `none`: nothing, the same request fails again. `retry`: the same request a little later. `metadata`: the same request after asking
 * anew who leads the partition. `coordinator`: the same after asking anew who coordinates the group or transaction. `rejoin`: the member is not
 * in this generation of its group. `fenced`: a newer producer has taken over. `reset`: the producer's state at the broker does not fit;
 * a new producer is needed.
 */
export type BrokerErrorRecovery =
  | 'none'
  | 'retry'
  | 'metadata'
  | 'coordinator'
  | 'rejoin'
  | 'fenced'
  | 'reset';

/** One error of the Kafka protocol. */
export interface BrokerErrorKind {
  /** Number in responses. */
  readonly number: number;
  /** Name in Kafka's `Errors` class. */
  readonly name: string;
  readonly recovery: BrokerErrorRecovery;
  /** Our code for it. */
  readonly code: ErrorCode;
  /** What happened, to follow "could not ...: ". */
  readonly says: string;
}

/** Where an error was met. Nothing of a record's content. */
export interface BrokerErrorPlace {
  /** What was being done, to follow "could not": `write to orders/3`. */
  readonly doing: string;
  readonly topic?: string;
  readonly partition?: number;
  readonly group?: string;
}

type Row = readonly [number, string, BrokerErrorRecovery, ErrorCode, string];

const elsewhere = 'the broker does not lead the partition any more';
const moved = 'the coordinator is moving to another broker';
const notMember = 'the member is not in the current generation of its group';

/** Numbers and names: Kafka protocol guide, "Error Codes" (kafka.apache.org/protocol). */
const rows: readonly Row[] = [
  [-1, 'UNKNOWN_SERVER_ERROR', 'none', 'UMBUS_LOG_IO', 'the broker failed; its log says why'],
  [1, 'OFFSET_OUT_OF_RANGE', 'none', 'UMBUS_LOG_OFFSET_GONE', 'the offset is not in the partition'],
  [2, 'CORRUPT_MESSAGE', 'none', 'UMBUS_LOG_CORRUPT', 'the batch does not match its checksum'],
  [
    3,
    'UNKNOWN_TOPIC_OR_PARTITION',
    'metadata',
    'UMBUS_LOG_UNKNOWN_TOPIC',
    'there is no such topic or partition',
  ],
  [5, 'LEADER_NOT_AVAILABLE', 'metadata', 'UMBUS_KAFKA_UNREACHABLE', 'the partition has no leader now'],
  [6, 'NOT_LEADER_OR_FOLLOWER', 'metadata', 'UMBUS_KAFKA_UNREACHABLE', elsewhere],
  [
    7,
    'REQUEST_TIMED_OUT',
    'retry',
    'UMBUS_KAFKA_UNREACHABLE',
    'the broker did not finish in time; replicas may be away',
  ],
  [8, 'BROKER_NOT_AVAILABLE', 'metadata', 'UMBUS_KAFKA_UNREACHABLE', 'the broker is not available'],
  [9, 'REPLICA_NOT_AVAILABLE', 'metadata', 'UMBUS_KAFKA_UNREACHABLE', 'the replica is not available'],
  [
    10,
    'MESSAGE_TOO_LARGE',
    'none',
    'UMBUS_LOG_RECORD_SIZE',
    'a batch is larger than the topic takes: raise max.message.bytes of the topic (message.max.bytes of the brokers)',
  ],
  [
    12,
    'OFFSET_METADATA_TOO_LARGE',
    'none',
    'UMBUS_LOG_RECORD_SIZE',
    'the offset metadata is too long: raise offset.metadata.max.bytes of the brokers',
  ],
  [
    13,
    'NETWORK_EXCEPTION',
    'metadata',
    'UMBUS_KAFKA_UNREACHABLE',
    'the connection ended before an answer came',
  ],
  [
    14,
    'COORDINATOR_LOAD_IN_PROGRESS',
    'retry',
    'UMBUS_KAFKA_UNREACHABLE',
    'the coordinator is still loading',
  ],
  [15, 'COORDINATOR_NOT_AVAILABLE', 'coordinator', 'UMBUS_KAFKA_UNREACHABLE', 'there is no coordinator now'],
  [16, 'NOT_COORDINATOR', 'coordinator', 'UMBUS_KAFKA_UNREACHABLE', moved],
  [
    17,
    'INVALID_TOPIC_EXCEPTION',
    'none',
    'UMBUS_KAFKA_SETTING',
    'the name is not a valid topic name (letters, digits, dot, dash and underscore, at most 249)',
  ],
  [
    18,
    'RECORD_LIST_TOO_LARGE',
    'none',
    'UMBUS_LOG_RECORD_SIZE',
    'a batch is larger than a segment: raise segment.bytes of the topic',
  ],
  [
    19,
    'NOT_ENOUGH_REPLICAS',
    'retry',
    'UMBUS_LOG_IO',
    'fewer replicas are in sync than min.insync.replicas asks for: bring the missing brokers back',
  ],
  [
    20,
    'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
    'retry',
    'UMBUS_LOG_IO',
    'fewer replicas took it than min.insync.replicas asks for: bring the missing brokers back',
  ],
  [22, 'ILLEGAL_GENERATION', 'rejoin', 'UMBUS_LOG_FENCED', notMember],
  [
    23,
    'INCONSISTENT_GROUP_PROTOCOL',
    'none',
    'UMBUS_KAFKA_SETTING',
    'other members of the group share partitions in another way: stop them, or use another group',
  ],
  [24, 'INVALID_GROUP_ID', 'none', 'UMBUS_KAFKA_SETTING', 'the name is not a valid group name'],
  [25, 'UNKNOWN_MEMBER_ID', 'rejoin', 'UMBUS_LOG_FENCED', notMember],
  [
    26,
    'INVALID_SESSION_TIMEOUT',
    'none',
    'UMBUS_KAFKA_SETTING',
    'the session timeout is outside group.min.session.timeout.ms to group.max.session.timeout.ms of the brokers',
  ],
  [27, 'REBALANCE_IN_PROGRESS', 'rejoin', 'UMBUS_LOG_FENCED', 'the group is sharing its partitions anew'],
  [
    28,
    'INVALID_COMMIT_OFFSET_SIZE',
    'none',
    'UMBUS_LOG_RECORD_SIZE',
    'the committed offsets are too large for one request',
  ],
  [
    29,
    'TOPIC_AUTHORIZATION_FAILED',
    'none',
    'UMBUS_KAFKA_ACL',
    'the user needs READ, WRITE, CREATE, DESCRIBE and ALTER_CONFIGS on the topic',
  ],
  [
    30,
    'GROUP_AUTHORIZATION_FAILED',
    'none',
    'UMBUS_KAFKA_ACL',
    'the user needs READ and DESCRIBE on the group',
  ],
  [
    31,
    'CLUSTER_AUTHORIZATION_FAILED',
    'none',
    'UMBUS_KAFKA_ACL',
    'the user needs IDEMPOTENT_WRITE, and CREATE to make topics, on the cluster',
  ],
  [
    33,
    'UNSUPPORTED_SASL_MECHANISM',
    'none',
    'UMBUS_KAFKA_AUTH',
    'the listener does not take this SASL mechanism',
  ],
  [34, 'ILLEGAL_SASL_STATE', 'none', 'UMBUS_KAFKA_AUTH', 'the listener wants another kind of login'],
  [
    35,
    'UNSUPPORTED_VERSION',
    'none',
    'UMBUS_KAFKA_SETTING',
    'the broker is too old or too new for this request; Kafka 2.5 or later is needed',
  ],
  [36, 'TOPIC_ALREADY_EXISTS', 'none', 'UMBUS_LOG_TOPIC_MISMATCH', 'the topic exists already'],
  [37, 'INVALID_PARTITIONS', 'none', 'UMBUS_LOG_TOPIC_MISMATCH', 'the number of partitions is not valid'],
  [
    38,
    'INVALID_REPLICATION_FACTOR',
    'none',
    'UMBUS_KAFKA_SETTING',
    'there are fewer brokers than copies: lower log.kafka.replicationFactor, or add brokers',
  ],
  [39, 'INVALID_REPLICA_ASSIGNMENT', 'none', 'UMBUS_KAFKA_SETTING', 'the replica assignment is not valid'],
  [40, 'INVALID_CONFIG', 'none', 'UMBUS_KAFKA_SETTING', 'the broker refuses a setting of the topic'],
  [41, 'NOT_CONTROLLER', 'metadata', 'UMBUS_KAFKA_UNREACHABLE', 'the controller is moving to another broker'],
  [42, 'INVALID_REQUEST', 'none', 'UMBUS_INTERNAL', 'the broker does not understand the request'],
  [
    43,
    'UNSUPPORTED_FOR_MESSAGE_FORMAT',
    'none',
    'UMBUS_KAFKA_SETTING',
    'the topic has a message format from before Kafka 0.11',
  ],
  [44, 'POLICY_VIOLATION', 'none', 'UMBUS_KAFKA_SETTING', 'a policy of the cluster forbids it'],
  [
    45,
    'OUT_OF_ORDER_SEQUENCE_NUMBER',
    'reset',
    'UMBUS_LOG_IO',
    'the broker misses records that were sent before',
  ],
  [46, 'DUPLICATE_SEQUENCE_NUMBER', 'none', 'UMBUS_LOG_IO', 'the broker has these records already'],
  [
    47,
    'INVALID_PRODUCER_EPOCH',
    'fenced',
    'UMBUS_LOG_FENCED',
    'a newer producer of the same name has taken over',
  ],
  [48, 'INVALID_TXN_STATE', 'reset', 'UMBUS_LOG_IO', 'the transaction has ended already'],
  [49, 'INVALID_PRODUCER_ID_MAPPING', 'reset', 'UMBUS_LOG_IO', 'the cluster has forgotten this producer'],
  [
    50,
    'INVALID_TRANSACTION_TIMEOUT',
    'none',
    'UMBUS_KAFKA_SETTING',
    'the transaction timeout is longer than transaction.max.timeout.ms of the brokers',
  ],
  [
    51,
    'CONCURRENT_TRANSACTIONS',
    'retry',
    'UMBUS_KAFKA_UNREACHABLE',
    'the transaction before is still being ended',
  ],
  [
    53,
    'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
    'none',
    'UMBUS_KAFKA_ACL',
    'the user needs WRITE and DESCRIBE on the transactional id',
  ],
  [54, 'SECURITY_DISABLED', 'none', 'UMBUS_KAFKA_SETTING', 'the cluster has no authorizer'],
  [
    56,
    'KAFKA_STORAGE_ERROR',
    'metadata',
    'UMBUS_LOG_FULL',
    "the broker's disk is full or has failed: free space on it, then restart the broker if it took the log directory offline",
  ],
  [58, 'SASL_AUTHENTICATION_FAILED', 'none', 'UMBUS_KAFKA_AUTH', 'user or password is wrong'],
  [59, 'UNKNOWN_PRODUCER_ID', 'reset', 'UMBUS_LOG_IO', 'the broker has forgotten this producer'],
  [
    72,
    'LISTENER_NOT_FOUND',
    'metadata',
    'UMBUS_KAFKA_UNREACHABLE',
    'the leader has no listener like the one we use',
  ],
  [74, 'FENCED_LEADER_EPOCH', 'metadata', 'UMBUS_KAFKA_UNREACHABLE', elsewhere],
  [75, 'UNKNOWN_LEADER_EPOCH', 'metadata', 'UMBUS_KAFKA_UNREACHABLE', elsewhere],
  [
    76,
    'UNSUPPORTED_COMPRESSION_TYPE',
    'none',
    'UMBUS_KAFKA_SETTING',
    'the broker does not take this compression',
  ],
  [
    78,
    'OFFSET_NOT_AVAILABLE',
    'retry',
    'UMBUS_KAFKA_UNREACHABLE',
    'the new leader does not know the end of the partition yet',
  ],
  [79, 'MEMBER_ID_REQUIRED', 'rejoin', 'UMBUS_LOG_FENCED', 'the member has to join with the id it was given'],
  [
    81,
    'GROUP_MAX_SIZE_REACHED',
    'none',
    'UMBUS_KAFKA_SETTING',
    'the group is full: raise group.max.size of the brokers',
  ],
  [82, 'FENCED_INSTANCE_ID', 'rejoin', 'UMBUS_LOG_FENCED', 'another member uses the same instance id'],
  [84, 'ELECTION_NOT_NEEDED', 'none', 'UMBUS_LOG_IO', 'no election is needed'],
  [
    87,
    'INVALID_RECORD',
    'none',
    'UMBUS_KAFKA_SETTING',
    'the broker refuses a record: one without a key in a compacted topic, or a timestamp outside message.timestamp.before.max.ms and message.timestamp.after.max.ms',
  ],
  [
    88,
    'UNSTABLE_OFFSET_COMMIT',
    'retry',
    'UMBUS_KAFKA_UNREACHABLE',
    'a transaction of the owner before is still open',
  ],
  [89, 'THROTTLING_QUOTA_EXCEEDED', 'retry', 'UMBUS_KAFKA_UNREACHABLE', 'a quota of the cluster is used up'],
  [90, 'PRODUCER_FENCED', 'fenced', 'UMBUS_LOG_FENCED', 'a newer producer of the same name has taken over'],
  [100, 'UNKNOWN_TOPIC_ID', 'metadata', 'UMBUS_LOG_UNKNOWN_TOPIC', 'there is no such topic'],
  [103, 'INCONSISTENT_TOPIC_ID', 'metadata', 'UMBUS_LOG_UNKNOWN_TOPIC', 'the topic was made anew'],
  [120, 'TRANSACTION_ABORTABLE', 'reset', 'UMBUS_LOG_IO', 'the transaction cannot go on'],
];

const kinds: readonly BrokerErrorKind[] = rows.map(([number, name, recovery, code, says]) => ({
  number,
  name,
  recovery,
  code,
  says,
}));
const byNumber = new Map(kinds.map(kind => [kind.number, kind]));
const byName = new Map(kinds.map(kind => [kind.name, kind]));

/** The error with this number or name; one that is not in the table is `UMBUS_LOG_IO` and not tried again. */
export function brokerErrorKind(error: number | string): BrokerErrorKind {
  const known = typeof error === 'number' ? byNumber.get(error) : byName.get(error);
  if (known !== undefined) return known;
  const says = `the broker answered with error ${error}`;
  const number = typeof error === 'number' ? error : -1;
  return { number, name: String(error), recovery: 'none', code: 'UMBUS_LOG_IO', says };
}

/** Our error for one of a broker: code, place, and what to do. */
export function brokerError(error: number | string, place: BrokerErrorPlace): UmbusError {
  const kind = brokerErrorKind(error);
  const details: Record<string, string | number | null> = { kafka: kind.name };
  if (place.topic !== undefined) details['topic'] = place.topic;
  if (place.partition !== undefined) details['partition'] = place.partition;
  if (place.group !== undefined) details['group'] = place.group;
  const all: ErrorDetails = details;
  return new UmbusError(kind.code, `Kafka could not ${place.doing}: ${kind.says} (${kind.name}).`, {
    details: all,
  });
}

/** Whether the same request may succeed a little later, after `metadata` or `coordinator` was asked for anew. */
export function passesByItself(kind: BrokerErrorKind): boolean {
  return kind.recovery === 'retry' || kind.recovery === 'metadata' || kind.recovery === 'coordinator';
}

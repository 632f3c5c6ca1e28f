/**
 * Every error that umbus reports on purpose has a code from this table; the table is its documentation.
 * `text` says what happened, `remedy` what an operator does about it, `retryable` whether the same call may succeed later.
 */
export const errorTable = {
  // Configuration and command line
  UMBUS_CONFIG_INVALID: {
    text: 'The data line file is not valid.',
    remedy: 'Correct the place that the message names.',
    retryable: false,
  },
  UMBUS_CONFIG_UNREADABLE: {
    text: 'A file that the data line needs cannot be read.',
    remedy: 'Check the path and its permissions.',
    retryable: false,
  },
  UMBUS_SECRET_MISSING: {
    text: 'A secret names an environment variable or file that is not there.',
    remedy: 'Set the variable or create the file.',
    retryable: false,
  },
  UMBUS_USAGE: {
    text: 'The command line was not understood.',
    remedy: 'See `umbus help COMMAND`.',
    retryable: false,
  },

  // Source server
  UMBUS_SOURCE_UNREACHABLE: {
    text: 'The source server cannot be reached.',
    remedy: 'Check host, port, network and that the server runs; umbus keeps trying.',
    retryable: true,
  },
  UMBUS_SOURCE_DISCONNECTED: {
    text: 'The connection to the source was cut.',
    remedy: 'None needed: umbus reconnects and resumes at the same event.',
    retryable: true,
  },
  UMBUS_SOURCE_AUTH: {
    text: 'The source refused the user or password.',
    remedy: 'Check user, password and the host the account is granted for.',
    retryable: false,
  },
  UMBUS_SOURCE_GRANT: {
    text: 'The account lacks a privilege.',
    remedy: 'Run the GRANT that the message names.',
    retryable: false,
  },
  UMBUS_SOURCE_SETTING: {
    text: 'A server setting makes exact capture impossible.',
    remedy: 'Run the statement that the message names.',
    retryable: false,
  },
  UMBUS_SOURCE_POSITION_GONE: {
    text: 'The server no longer has the binlog that comes next.',
    remedy: 'The message says what is lost. Load the tables again, then restart with a new start position.',
    retryable: false,
  },
  UMBUS_SOURCE_IDENTITY: {
    text: 'The server is not the one this line was reading, and its history does not continue ours.',
    remedy: 'Point the line at the right server, or start it anew.',
    retryable: false,
  },
  UMBUS_SOURCE_SERVER_ID: {
    text: 'Another replica uses the same server id.',
    remedy: 'Give the line a server id of its own (`source.serverId`).',
    retryable: false,
  },
  UMBUS_SOURCE_PROTOCOL: {
    text: 'The server sent something the replication protocol does not allow.',
    remedy: 'Report it with the position in the message.',
    retryable: true,
  },

  // Binlog
  UMBUS_BINLOG_CHECKSUM: {
    text: 'An event does not match its CRC32.',
    remedy: 'The connection is made anew once; if the file itself is damaged, restore the source.',
    retryable: true,
  },
  UMBUS_BINLOG_TRUNCATED: {
    text: 'An event or packet ends before its own length says.',
    remedy: 'Report it with the position in the message.',
    retryable: true,
  },
  UMBUS_BINLOG_EVENT: {
    text: 'An event has a form that umbus does not know.',
    remedy: 'Update umbus; if the event is one it should know, report it.',
    retryable: false,
  },
  UMBUS_BINLOG_TABLE_MAP: {
    text: 'A row event does not fit the table map before it.',
    remedy: 'The table is parked; report it with the position.',
    retryable: false,
  },
  UMBUS_BINLOG_NO_METADATA: {
    text: 'The table map has no column names.',
    remedy: 'SET GLOBAL binlog_row_metadata = FULL on the source.',
    retryable: false,
  },
  UMBUS_BINLOG_ROW: {
    text: 'A row image cannot be decoded.',
    remedy: 'The table is parked with the raw bytes; report it with the position.',
    retryable: false,
  },
  UMBUS_BINLOG_TYPE: {
    text: 'A column has a type that umbus does not decode yet.',
    remedy: 'Exclude the table, or update umbus and replay what is parked.',
    retryable: false,
  },
  UMBUS_BINLOG_CHARSET: {
    text: 'A column has a character set that umbus does not decode yet.',
    remedy: 'Exclude the table, or update umbus and replay what is parked.',
    retryable: false,
  },
  UMBUS_BINLOG_VALUE: {
    text: 'A value is not valid for its column type.',
    remedy: 'The table is parked with the raw bytes; report it with the position.',
    retryable: false,
  },

  // Log
  UMBUS_LOG_LOCKED: {
    text: 'Another process owns this embedded log.',
    remedy: 'Stop that process, or run the topologies in one process, or use Kafka.',
    retryable: true,
  },
  UMBUS_LOG_FULL: {
    text: 'The log cannot write: the disk or the configured size is full.',
    remedy: 'Free space or raise `log.embedded.maxBytes`; umbus goes on where it stopped.',
    retryable: true,
  },
  UMBUS_LOG_CORRUPT: {
    text: 'A stored record does not match its checksum.',
    remedy: 'Restore the log, or start the line anew.',
    retryable: false,
  },
  UMBUS_LOG_UNKNOWN_TOPIC: {
    text: 'There is no such topic or partition.',
    remedy: 'Check the name; `umbus status` lists the topics.',
    retryable: false,
  },
  UMBUS_LOG_TOPIC_MISMATCH: {
    text: 'A topic exists with another shape.',
    remedy: 'Keep the old shape, or move to a new topic.',
    retryable: false,
  },
  UMBUS_LOG_OFFSET_GONE: {
    text: 'The offset is before the start of the partition.',
    remedy: 'Raise the retention; what was lost must be loaded again.',
    retryable: false,
  },
  UMBUS_LOG_FENCED: {
    text: 'A newer owner has taken over this task.',
    remedy: 'None needed: this one stops.',
    retryable: false,
  },
  UMBUS_LOG_IO: {
    text: 'The disk failed to write or read the log.',
    remedy: 'Check the disk; nothing half-written remains, umbus goes on where it stopped.',
    retryable: true,
  },
  UMBUS_LOG_DIRECTORY: {
    text: 'The directory is not an embedded log that this version can open.',
    remedy: 'Check the path and its permissions; a log of a newer version needs that version.',
    retryable: false,
  },
  UMBUS_LOG_CLOSED: { text: 'The log was closed.', remedy: 'None needed.', retryable: false },
  UMBUS_LOG_RECORD_SIZE: {
    text: 'A record is larger than the log accepts.',
    remedy: 'Raise the limit, or exclude the table.',
    retryable: false,
  },

  // A log on Kafka
  UMBUS_KAFKA_UNREACHABLE: {
    text: 'No broker of the cluster can be reached.',
    remedy: 'Check the addresses, the network and that the brokers run; umbus keeps trying.',
    retryable: true,
  },
  UMBUS_KAFKA_AUTH: {
    text: 'The brokers refused the login or its mechanism.',
    remedy: 'Check user, password and mechanism under `log.kafka.sasl`, and that the listener takes them.',
    retryable: false,
  },
  UMBUS_KAFKA_TLS: {
    text: 'TLS to a broker failed.',
    remedy:
      "Check `log.kafka.tls`: the CA, the client certificate, and that the broker's certificate has its name.",
    retryable: false,
  },
  UMBUS_KAFKA_ACL: {
    text: 'The brokers do not let this user do what umbus needs.',
    remedy: 'Add the ACL that the message names.',
    retryable: false,
  },
  UMBUS_KAFKA_SETTING: {
    text: 'A setting of the cluster or a topic makes this impossible.',
    remedy: 'Change the setting that the message names.',
    retryable: false,
  },

  // Coordination
  UMBUS_COORDINATION_UNREACHABLE: {
    text: 'The coordination service cannot be reached.',
    remedy: 'Check the addresses under `coordination` and that the service runs; umbus keeps trying.',
    retryable: true,
  },
  UMBUS_COORDINATION_CONFLICT: {
    text: 'A shared value was changed by somebody else meanwhile.',
    remedy: 'Read it again and repeat the change.',
    retryable: true,
  },
  UMBUS_COORDINATION_LOST: {
    text: 'The lease is lost: this process could not prove in time that it still holds it.',
    remedy: 'None needed: another process goes on, or this one takes the lease again.',
    retryable: true,
  },
  UMBUS_COORDINATION_REFUSED: {
    text: 'The coordination service refused a request.',
    remedy: 'See the reason in the message: rights on the path, or a value that is too large.',
    retryable: false,
  },
  UMBUS_COORDINATION_CLOSED: {
    text: 'Coordination was closed.',
    remedy: 'None needed.',
    retryable: false,
  },

  // Schema registry
  UMBUS_REGISTRY_UNREACHABLE: {
    text: 'The schema registry cannot be reached.',
    remedy: 'Check `registry.url` and that the registry runs; umbus keeps trying.',
    retryable: true,
  },
  UMBUS_REGISTRY_INCOMPATIBLE: {
    text: 'The schema registry refuses a schema as incompatible with the versions before it.',
    remedy: 'Loosen `registry.compatibility`, or give the table a new topic.',
    retryable: false,
  },
  UMBUS_REGISTRY_TABLE_REFUSED: {
    text: 'The schema registry refuses the schema of a table as incompatible.',
    remedy: 'None needed: umbus begins again from its last commit and parks the table.',
    retryable: true,
  },
  UMBUS_REGISTRY_REFUSED: {
    text: 'The schema registry refused a request.',
    remedy: 'See the reason in the message: login, rights, or a schema that it does not take.',
    retryable: false,
  },
  UMBUS_REGISTRY_UNKNOWN_SCHEMA: {
    text: 'The schema registry does not know a schema id that a record names.',
    remedy: 'Check that readers and writers use the same registry.',
    retryable: false,
  },

  // Topologies
  UMBUS_TOPOLOGY_INVALID: {
    text: 'The topology cannot be built.',
    remedy: 'Correct the stage that the message names.',
    retryable: false,
  },
  UMBUS_TOPOLOGY_DECODE: {
    text: 'A record cannot be decoded.',
    remedy: 'See the dead-letter topic; replay it after a fix.',
    retryable: false,
  },
  UMBUS_TOPOLOGY_PROCESS: {
    text: 'A processor failed on a record.',
    remedy: 'See the dead-letter topic; replay it after a fix.',
    retryable: false,
  },
  UMBUS_TOPOLOGY_STORE: {
    text: 'A state store cannot be restored.',
    remedy: 'Report it with the changelog offset in the message.',
    retryable: false,
  },

  // UMS
  UMBUS_UMS_INVALID: {
    text: 'A message is not valid UMS.',
    remedy: 'Report it with the topic, partition and offset in the message.',
    retryable: false,
  },

  // Programmer errors
  UMBUS_INTERNAL: {
    text: 'A rule that should always hold was broken.',
    remedy: 'This is a fault in umbus; report it.',
    retryable: false,
  },
} as const satisfies Record<string, { text: string; remedy: string; retryable: boolean }>;

/** A code of {@link errorTable}. */
export type ErrorCode = keyof typeof errorTable;

/** Facts that say where: file, line, column; topic, partition, offset; binlog file and position; schema and table. Never a payload value. */
export type ErrorDetails = Readonly<Record<string, string | number | bigint | boolean | null>>;

/** The one error class of umbus. `message` is a full sentence with the place in it; the code's remedy is in {@link errorTable}. */
export class UmbusError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; details?: ErrorDetails } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }

  override get name(): string {
    return 'UmbusError';
  }

  /** Whether the same call may succeed later. */
  get retryable(): boolean {
    return errorTable[this.code].retryable;
  }

  /** What an operator does about it. */
  get remedy(): string {
    return errorTable[this.code].remedy;
  }
}

/** Narrows an unknown error to one with a code, or to one with exactly that code. */
export function isUmbusError(error: unknown, code?: ErrorCode): error is UmbusError {
  return error instanceof UmbusError && (code === undefined || error.code === code);
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

import type { ErrorRow } from './row.ts';

/** Codes of the log. */
export const logErrors = {
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
} as const satisfies Record<string, ErrorRow>;

import type { ErrorRow } from './row.ts';

/** Codes of heartbeats. */
export const heartbeatErrors = {
  UMBUS_HEARTBEAT_TABLE: {
    text: 'The source lacks the table for heartbeats, or has another of its name.',
    remedy: 'Run the statements that `umbus check` prints; rounds go on by themselves.',
    retryable: true,
  },
  UMBUS_HEARTBEAT_READ_ONLY: {
    text: 'The source takes no writes, so it takes no heartbeats.',
    remedy: 'Beat on the primary, or leave `heartbeat` out of the line file; rows still travel.',
    retryable: true,
  },
  UMBUS_HEARTBEAT_TIMEOUT: {
    text: 'The source did not answer a statement of a heartbeat in time.',
    remedy: 'Look what holds the source up; `heartbeat.timeout` sets the limit.',
    retryable: true,
  },
  UMBUS_HEARTBEAT_HELD: {
    text: 'Another session of the source beats for the line already.',
    remedy: 'Run a line once: two deployments of one `ds` share no coordination.',
    retryable: true,
  },
  UMBUS_HEARTBEAT_UNLOCKED: {
    text: 'The source has no lock that says which session beats, or has one on each node of a cluster.',
    remedy:
      'Nothing, where all processes of the line share a coordination: its lease says who beats. One that hangs past its lease may insert one more round.',
    retryable: false,
  },
} as const satisfies Readonly<Record<string, ErrorRow>>;

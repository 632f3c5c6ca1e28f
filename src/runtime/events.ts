import type { TopicPartition } from '../ports/log.ts';
import type { TopologyState } from './state.ts';

/** Where something happened to a record. */
export interface RecordPlace {
  readonly topology: string;
  /** `<topology>-<partition>`. */
  readonly task: string;
  readonly stage: string;
  /** Input topic; '' outside a record. */
  readonly topic: string;
  readonly partition: number;
  /** -1 outside a record. */
  readonly offset: bigint;
}

/**
 * What a running topology tells. Each member is optional and is called synchronously with one event; it returns quickly and does not
 * throw. Messages are those of coded errors and hold no payload values; of other errors only the class is told.
 */
export interface TopologyEvents {
  /** The state changed. */
  readonly stateChanged?: (event: {
    readonly topology: string;
    readonly from: TopologyState;
    readonly to: TopologyState;
  }) => void;
  /** A commit is durable. `records` were read for it, `outputs` and `bytes` written. `durationMs` counts from the call. */
  readonly committed?: (event: {
    readonly topology: string;
    readonly group: string;
    readonly records: number;
    readonly outputs: number;
    readonly bytes: number;
    readonly durationMs: number;
  }) => void;
  /** A record, or part of one, goes to the dead-letter topic with the commit that follows. */
  readonly parked?: (
    event: RecordPlace & { readonly key: string; readonly code: string; readonly message: string },
  ) => void;
  /** The policy `skip` dropped a record. */
  readonly skipped?: (event: RecordPlace & { readonly code: string; readonly message: string }) => void;
  /** Partitions came (`assigned`), are handed over (`revoked`), or are gone already (`lost`). */
  readonly rebalanced?: (event: {
    readonly topology: string;
    readonly group: string;
    readonly change: 'assigned' | 'revoked' | 'lost';
    readonly partitions: readonly TopicPartition[];
  }) => void;
  /** A group failed in a way that passes; it begins again from its last commit after `delayMs`. */
  readonly restarted?: (event: {
    readonly topology: string;
    readonly group: string;
    readonly code: string;
    readonly message: string;
    readonly attempt: number;
    readonly delayMs: number;
  }) => void;
  /** An external source is open and reading. */
  readonly connected?: (event: { readonly topology: string; readonly stage: string }) => void;
  /** Another process, which calls itself `holder`, reads the external source; this one waits to take its place. */
  readonly standby?: (event: {
    readonly topology: string;
    readonly stage: string;
    readonly lease: string;
    readonly holder: string;
  }) => void;
  /** An external source ended (`code` null) or failed in a way that passes; it is opened anew after `delayMs`. */
  readonly reconnecting?: (event: {
    readonly topology: string;
    readonly stage: string;
    readonly code: string | null;
    readonly message: string;
    readonly attempt: number;
    readonly delayMs: number;
  }) => void;
  /** More producers write to a partition than the commit metadata can remember; what the least recent one repeats is not recognised any more. */
  readonly laneForgotten?: (event: {
    readonly topology: string;
    readonly task: string;
    readonly topic: string;
    readonly lanes: number;
  }) => void;
  /** A watched path got bytes that do not decode; the value before stays in force. */
  readonly configRejected?: (event: {
    readonly topology: string;
    readonly path: string;
    readonly message: string;
  }) => void;
  /** The topology stops with this error; `done` rejects with it. */
  readonly failed?: (event: { readonly topology: string; readonly error: unknown }) => void;
}

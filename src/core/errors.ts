import { alarmErrors } from './error-table/alarm.ts';
import { binlogErrors } from './error-table/binlog.ts';
import { configErrors } from './error-table/config.ts';
import { coordinationErrors } from './error-table/coordination.ts';
import { heartbeatErrors } from './error-table/heartbeat.ts';
import { internalErrors } from './error-table/internal.ts';
import { kafkaErrors } from './error-table/kafka.ts';
import { logErrors } from './error-table/log.ts';
import { maskingErrors } from './error-table/masking.ts';
import { pullErrors } from './error-table/pull.ts';
import { registryErrors } from './error-table/registry.ts';
import { sourceErrors } from './error-table/source.ts';
import { telemetryErrors } from './error-table/telemetry.ts';
import { topologyErrors } from './error-table/topology.ts';
import { umsErrors } from './error-table/ums.ts';

/**
 * Every error that umbus reports on purpose has a code from this table; the table is its documentation. Each area has a file of its own in `error-table`.
 */
export const errorTable = {
  ...configErrors,
  ...sourceErrors,
  ...binlogErrors,
  ...logErrors,
  ...kafkaErrors,
  ...coordinationErrors,
  ...pullErrors,
  ...registryErrors,
  ...maskingErrors,
  ...topologyErrors,
  ...telemetryErrors,
  ...umsErrors,
  ...heartbeatErrors,
  ...alarmErrors,
  ...internalErrors,
} as const;

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

import { type ErrorCode, isUmbusError } from '../core/errors.ts';

/** Exit codes of every command. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  config: 3,
  source: 4,
  log: 5,
} as const;

/** One of {@link exitCodes}. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** For help texts. */
export const exitCodesHelp = `Exit codes:
  0  done, or stopped cleanly
  1  failed; or, with check and status, something needs attention
  2  the command line was not understood
  3  the data line file, or a secret it names, is missing or not valid
  4  the source server: unreachable, refused, wrong settings, or the position is gone
  5  the log: another process owns it, it is full, its directory cannot be used, or the Kafka cluster refuses`;

const logCodes: ReadonlySet<ErrorCode> = new Set([
  'UMBUS_LOG_LOCKED',
  'UMBUS_LOG_FULL',
  'UMBUS_LOG_DIRECTORY',
  'UMBUS_LOG_IO',
  'UMBUS_LOG_RECORD_SIZE',
] satisfies ErrorCode[]);

/** The exit code for what ended a command. */
export function exitCodeOf(error: unknown): ExitCode {
  if (!isUmbusError(error)) return exitCodes.failed;
  if (error.code === 'UMBUS_USAGE') return exitCodes.usage;
  if (error.code === 'UMBUS_CONFIG_INVALID' || error.code === 'UMBUS_CONFIG_UNREADABLE')
    return exitCodes.config;
  if (error.code === 'UMBUS_SECRET_MISSING') return exitCodes.config;
  if (error.code === 'UMBUS_MASK_DIFFERS' || error.code === 'UMBUS_MASK_MODULE') return exitCodes.config;
  if (error.code.startsWith('UMBUS_SOURCE_')) return exitCodes.source;
  if (error.code.startsWith('UMBUS_KAFKA_')) return exitCodes.log;
  return logCodes.has(error.code) ? exitCodes.log : exitCodes.failed;
}

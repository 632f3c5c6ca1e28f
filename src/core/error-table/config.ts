import type { ErrorRow } from './row.ts';

/** Codes of the line file and the command line. */
export const configErrors = {
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
} as const satisfies Record<string, ErrorRow>;

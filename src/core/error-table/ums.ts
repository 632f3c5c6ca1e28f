import type { ErrorRow } from './row.ts';

/** Codes of UMS messages. */
export const umsErrors = {
  UMBUS_UMS_INVALID: {
    text: 'A message is not valid UMS.',
    remedy: 'Report it with the topic, partition and offset in the message.',
    retryable: false,
  },
  UMBUS_UMS_SIZE: {
    text: 'A row is larger as UMS than a record can be.',
    remedy: 'The table is parked from the row on. Make the row smaller, or exclude the table.',
    retryable: false,
  },
} as const satisfies Record<string, ErrorRow>;

import type { ErrorRow } from './row.ts';

/** Codes of UMS messages. */
export const umsErrors = {
  UMBUS_UMS_INVALID: {
    text: 'A message is not valid UMS.',
    remedy: 'Report it with the topic, partition and offset in the message.',
    retryable: false,
  },
} as const satisfies Record<string, ErrorRow>;

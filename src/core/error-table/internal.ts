import type { ErrorRow } from './row.ts';

/** Codes of faults of umbus itself. */
export const internalErrors = {
  UMBUS_INTERNAL: {
    text: 'A rule that should always hold was broken.',
    remedy: 'This is a fault in umbus; report it.',
    retryable: false,
  },
} as const satisfies Record<string, ErrorRow>;

import type { ErrorRow } from './row.ts';

/** Codes of masks. */
export const maskingErrors = {
  UMBUS_MASK_UNFIT: {
    text: 'A mask cannot give values that its column can hold, or needs a column that is not there.',
    remedy: 'Give the column another mask, apply it, and replay the table; nothing of it was published.',
    retryable: false,
  },
  UMBUS_MASK_FAILED: {
    text: 'A mask gave no value for a row.',
    remedy: 'The table is parked without the value; mend the mask, apply it, and replay the table.',
    retryable: false,
  },
  UMBUS_MASK_MODULE: {
    text: 'The module of a mask function cannot be loaded, or lacks the function.',
    remedy: 'Mend the module that the message names.',
    retryable: false,
  },
  UMBUS_MASK_DIFFERS: {
    text: 'The masks of the line file are not those that were applied to the running line.',
    remedy: 'umbus mask apply --line FILE puts those of the file in force; or mend the file.',
    retryable: false,
  },
  UMBUS_PARKED_GONE: {
    text: 'The raw record that a dead letter refers to is not kept any more.',
    remedy: 'Load the table again; replay parked tables with masks before topics.retention is over.',
    retryable: false,
  },
} as const satisfies Record<string, ErrorRow>;

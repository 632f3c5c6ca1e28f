import type { ErrorRow } from './row.ts';

/** Codes of full pulls. */
export const pullErrors = {
  UMBUS_PULL_TABLE: {
    text: 'A table that is to be pulled is not there, is not part of the line, or cannot be pulled.',
    remedy: 'Check the name; the message says what the table lacks.',
    retryable: false,
  },
  UMBUS_PULL_COLUMN: {
    text: 'A table cannot be split or pulled by these columns.',
    remedy: 'Name columns that the message accepts, or leave them out.',
    retryable: false,
  },
  UMBUS_PULL_TOPIC: {
    text: 'An independent pull cannot write to this topic.',
    remedy:
      'Name a topic of your own with `--to`: letters, digits, `.`, `_` and `-`, and not one of the line.',
    retryable: false,
  },
  UMBUS_PULL_CONDITION: {
    text: 'The condition of a pull is not one plain expression.',
    remedy:
      'Change it at the place that the message names; conditions know columns, literals, operators and plain functions.',
    retryable: false,
  },
  UMBUS_PULL_KEY: {
    text: 'A key value of a table is not in the form of its type.',
    remedy: 'Report it with the type of the column; split by another column meanwhile.',
    retryable: false,
  },
  UMBUS_PULL_CHANGED: {
    text: 'The table was dropped, or its columns, its key, or masks on the key changed while it was pulled; or it has no key, and changed in every moment in which its rows began to be read.',
    remedy:
      'What was published stays right. Pull the table again; one without a key that never rests with `--mode blocking`, which locks it for a moment.',
    retryable: false,
  },
  UMBUS_PULL_HELD: {
    text: 'More changes of a table came than may wait for the end of its pull.',
    remedy:
      'What waited was published. Pull at a quieter hour, without `--mode blocking` where the table has a key, or raise `pull.heldBytes`.',
    retryable: false,
  },
  UMBUS_PULL_REPLICA: {
    text: 'The replica that pulls read from is too far behind, or does not get the watermarks of pulls.',
    remedy:
      'Look at its replication, and what its account may see: both need the schema `signals.schema` too. `pull.replica.timeout` sets the limit. Then pull the table again.',
    retryable: false,
  },
  UMBUS_PULL_CANCELLED: {
    text: 'The pull was cancelled.',
    remedy: 'None needed. What was published stays right.',
    retryable: false,
  },
  UMBUS_PULL_RUNNING: {
    text: 'The table is being pulled already.',
    remedy: 'Wait for that pull, or cancel it: `umbus pulls`.',
    retryable: false,
  },
} as const satisfies Record<string, ErrorRow>;

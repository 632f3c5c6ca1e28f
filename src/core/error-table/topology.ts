import type { ErrorRow } from './row.ts';

/** Codes of topologies. */
export const topologyErrors = {
  UMBUS_TOPOLOGY_INVALID: {
    text: 'The topology cannot be built.',
    remedy: 'Correct the stage that the message names.',
    retryable: false,
  },
  UMBUS_TOPOLOGY_DECODE: {
    text: 'A record cannot be decoded.',
    remedy: 'See the dead-letter topic; replay it after a fix.',
    retryable: false,
  },
  UMBUS_TOPOLOGY_PROCESS: {
    text: 'A processor failed on a record.',
    remedy: 'See the dead-letter topic; replay it after a fix.',
    retryable: false,
  },
  UMBUS_TOPOLOGY_STORE: {
    text: 'A state store cannot be restored.',
    remedy: 'Report it with the changelog offset in the message.',
    retryable: false,
  },
} as const satisfies Record<string, ErrorRow>;

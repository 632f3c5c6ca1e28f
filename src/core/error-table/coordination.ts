import type { ErrorRow } from './row.ts';

/** Codes of coordination. */
export const coordinationErrors = {
  UMBUS_COORDINATION_UNREACHABLE: {
    text: 'The coordination service cannot be reached.',
    remedy: 'Check the addresses under `coordination` and that the service runs; umbus keeps trying.',
    retryable: true,
  },
  UMBUS_COORDINATION_CONFLICT: {
    text: 'A shared value was changed by somebody else meanwhile.',
    remedy: 'Read it again and repeat the change.',
    retryable: true,
  },
  UMBUS_COORDINATION_LOST: {
    text: 'The lease is lost: this process could not prove in time that it still holds it.',
    remedy: 'None needed: another process goes on, or this one takes the lease again.',
    retryable: true,
  },
  UMBUS_COORDINATION_REFUSED: {
    text: 'The coordination service refused a request.',
    remedy: 'See the reason in the message: rights on the path, or a value that is too large.',
    retryable: false,
  },
  UMBUS_COORDINATION_CLOSED: {
    text: 'Coordination was closed.',
    remedy: 'None needed.',
    retryable: false,
  },
} as const satisfies Record<string, ErrorRow>;

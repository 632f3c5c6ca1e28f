import type { ErrorRow } from './row.ts';

/** Codes of alarms on their way to people. */
export const alarmErrors = {
  UMBUS_ALARM_UNREACHABLE: {
    text: 'An alarm could not be handed over: the other side did not answer, or asked to come again.',
    remedy:
      'Check the addresses under `alarms` and that the receiver runs; umbus tries again for `alarms.retryFor`.',
    retryable: true,
  },
  UMBUS_ALARM_REFUSED: {
    text: 'The receiver of alarms refused one.',
    remedy:
      'See the reason in the message: address, login, or what the receiver takes. `umbus alarms test` tests it.',
    retryable: false,
  },
} as const satisfies Record<string, ErrorRow>;

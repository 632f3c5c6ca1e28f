import type { ErrorRow } from './row.ts';

/** Codes of a log on Kafka. */
export const kafkaErrors = {
  UMBUS_KAFKA_UNREACHABLE: {
    text: 'No broker of the cluster can be reached.',
    remedy: 'Check the addresses, the network and that the brokers run; umbus keeps trying.',
    retryable: true,
  },
  UMBUS_KAFKA_AUTH: {
    text: 'The brokers refused the login or its mechanism.',
    remedy: 'Check user, password and mechanism under `log.kafka.sasl`, and that the listener takes them.',
    retryable: false,
  },
  UMBUS_KAFKA_TLS: {
    text: 'TLS to a broker failed.',
    remedy:
      "Check `log.kafka.tls`: the CA, the client certificate, and that the broker's certificate has its name.",
    retryable: false,
  },
  UMBUS_KAFKA_ACL: {
    text: 'The brokers do not let this user do what umbus needs.',
    remedy: 'Add the ACL that the message names.',
    retryable: false,
  },
  UMBUS_KAFKA_SETTING: {
    text: 'A setting of the cluster or a topic makes this impossible.',
    remedy: 'Change the setting that the message names.',
    retryable: false,
  },
} as const satisfies Record<string, ErrorRow>;

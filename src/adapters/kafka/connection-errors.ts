import { isUmbusError, UmbusError } from '../../core/errors.ts';

/** Protocol errors of kafkajs that mean a refused login. */
const loginErrors: ReadonlySet<string> = new Set([
  'UNSUPPORTED_SASL_MECHANISM',
  'ILLEGAL_SASL_STATE',
  'SASL_AUTHENTICATION_FAILED',
]);
/** Beginnings of the codes that Node's TLS gives (nodejs.org, "X509 certificate error codes" and "OpenSSL errors"). */
const tlsCodes =
  /^(ERR_TLS|ERR_SSL|EPROTO$|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH)/;

/**
 * Our error for one of a connection: UMBUS_KAFKA_AUTH, UMBUS_KAFKA_TLS or UMBUS_KAFKA_UNREACHABLE. Errors of ours pass. The error of kafkajs is not
 * kept as the cause: what it holds of the login is not ours to know.
 */
export function connectionError(error: unknown, address: string): UmbusError {
  if (isUmbusError(error)) return error;
  const name = textOf(error, 'name');
  const code = textOf(error, 'code');
  const type = textOf(error, 'type');
  const details = { broker: address };
  if (name === 'KafkaJSSASLAuthenticationError' || loginErrors.has(type)) {
    const why = type === '' ? '' : ` (${type})`;
    return new UmbusError('UMBUS_KAFKA_AUTH', `The Kafka broker ${address} refused the login${why}.`, {
      details,
    });
  }
  if (tlsCodes.test(code)) {
    return new UmbusError('UMBUS_KAFKA_TLS', `TLS to the Kafka broker ${address} failed: ${code}.`, {
      details,
    });
  }
  const why = code === '' ? (reasons[name] ?? 'the connection failed') : code;
  return new UmbusError('UMBUS_KAFKA_UNREACHABLE', `The Kafka broker ${address} cannot be reached: ${why}.`, {
    details,
  });
}

const reasons: Readonly<Record<string, string>> = {
  KafkaJSRequestTimeoutError: 'it does not answer in time',
  KafkaJSConnectionClosedError:
    'it closed the connection (where it always does: check `log.kafka.tls` and `log.kafka.sasl`)',
  KafkaJSLockTimeout: 'it does not finish the login in time',
};

function textOf(error: unknown, name: 'name' | 'code' | 'type'): string {
  if (typeof error !== 'object' || error === null || !(name in error)) return '';
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' ? value : '';
}

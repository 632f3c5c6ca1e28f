import { isUmbusError, UmbusError } from '../../core/errors.ts';

/** The server takes no writes (MySQL and MariaDB error reference: ER_OPTION_PREVENTS_STATEMENT, ER_READ_ONLY_MODE, ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION). */
const READ_ONLY_ERRORS = new Set([1290, 1792, 1836]);
/** No such database, table or column; a column that is too short; a value that does not fit. */
const TABLE_ERRORS = new Set([1049, 1054, 1136, 1146, 1364, 1406]);

/** What an error of a heartbeat's statement means, with what to do about it. Errors that mean nothing special pass through. */
export function beatError(error: unknown, schema: string): unknown {
  if (!isUmbusError(error)) return error;
  const { errno } = error.details;
  if (typeof errno !== 'number') return error;
  if (READ_ONLY_ERRORS.has(errno)) {
    return new UmbusError('UMBUS_HEARTBEAT_READ_ONLY', `The source takes no heartbeats: ${error.message}`, {
      cause: error,
      details: error.details,
    });
  }
  if (TABLE_ERRORS.has(errno)) {
    return new UmbusError(
      'UMBUS_HEARTBEAT_TABLE',
      `The table for heartbeats in schema '${schema}' is missing or another one: ${error.message}`,
      { cause: error, details: error.details },
    );
  }
  return error;
}

import { messageOf, UmbusError } from '../../core/errors.ts';

/** Where a request went, for messages. `url` has no login in it. */
export interface RegistryPlace {
  readonly url: string;
  /** What was asked for: `the schema with id 7`, `subject shop-value`. */
  readonly what: string;
}

/** What the client says of a failed request. It gives a request that had no answer the status 400, and prefixes its own name. */
export interface ClientFailure {
  readonly status: number;
  /** Whether the registry itself has answered, rather than the network or something in between. */
  readonly answered: boolean;
  readonly reason: string;
}

const NO_ANSWER = /^umbus - Error, status \d+(?:: )?/;
const PREFIX = /^umbus - /;
const REASON_MAX = 1_000;

/** Reads an error of the client. A registry answers in JSON with a message; what has none is something else that answered, or nothing did. */
export function clientFailureOf(error: unknown): ClientFailure {
  const text = messageOf(error);
  const status = typeof error === 'object' && error !== null && 'status' in error ? Number(error.status) : 0;
  const answered = status !== 0 && !NO_ANSWER.test(text);
  const reason = text.replace(NO_ANSWER, '').replace(PREFIX, '').replace(/\s+/g, ' ').trim();
  return { status, answered, reason: reason.slice(0, REASON_MAX) };
}

/** The coded error of a failed request. No cause: the client's errors hold the request with its login. */
export function registryError(failure: ClientFailure, place: RegistryPlace): UmbusError {
  const { status, answered, reason } = failure;
  const { url, what } = place;
  const details = { url, status };
  const because = reason === '' ? '' : `: ${reason.replace(/\.$/, '')}`;
  if (status === 401 || status === 403) {
    const login = status === 401 ? 'the login' : 'this user the right';
    return new UmbusError(
      'UMBUS_REGISTRY_REFUSED',
      `The schema registry at ${url} refuses ${login} for ${what} (status ${status})${answered ? because : ''}.`,
      { details },
    );
  }
  if (passes(failure)) {
    return new UmbusError(
      'UMBUS_REGISTRY_UNREACHABLE',
      `The schema registry at ${url} does not answer for ${what}${because}.`,
      { details },
    );
  }
  if (status === 409) {
    return new UmbusError(
      'UMBUS_REGISTRY_INCOMPATIBLE',
      `The schema registry at ${url} refuses a schema for ${what}${because}.`,
      { details },
    );
  }
  if (status === 404 && !answered) {
    return new UmbusError(
      'UMBUS_REGISTRY_REFUSED',
      `There is no schema registry at ${url}: what answers there knows nothing of ${what} (status 404).`,
      { details },
    );
  }
  return new UmbusError(
    'UMBUS_REGISTRY_REFUSED',
    `The schema registry at ${url} refuses ${what} (status ${status})${because}.`,
    { details },
  );
}

/** Whether the same request may be answered later. A status 400 without an answer is how the client tells of a network that failed. */
function passes({ status, answered }: ClientFailure): boolean {
  return status === 0 || status === 408 || status === 429 || status >= 500 || (status === 400 && !answered);
}

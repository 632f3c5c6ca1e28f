import type { OnError } from '../topology/types.ts';

/** A policy in one form. */
export interface Policy {
  readonly outcome: 'fail' | 'skip' | 'dead-letter';
  readonly retries: number;
}

/** The one form of an {@link OnError}. */
export function policyOf(onError: OnError): Policy {
  return typeof onError === 'string'
    ? { outcome: onError, retries: 0 }
    : { outcome: onError.policy, retries: onError.retries };
}

import { UmbusError } from './errors.ts';

/** Stops on a broken invariant. For faults of umbus itself, never for bad input. Throws UMBUS_INTERNAL. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new UmbusError('UMBUS_INTERNAL', message);
}

/** Ends a `switch` over a union: fails to compile when a case is missing, throws UMBUS_INTERNAL when the types lied. */
export function unreachable(value: never): never {
  throw new UmbusError('UMBUS_INTERNAL', `Unreachable case: ${JSON.stringify(value)}.`);
}

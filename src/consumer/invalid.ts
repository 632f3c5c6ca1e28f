import { UmbusError } from '../core/errors.ts';

/** Where a message was read, for error texts. */
export interface MessagePlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}

/** The error for bytes that are not UMS: `fault` is a clause without a full stop that names members, never values. */
export function invalidUms(fault: string, place: MessagePlace | null, cause?: unknown): UmbusError {
  const where = place === null ? '' : ` at ${place.topic}/${place.partition}@${place.offset}`;
  return new UmbusError('UMBUS_UMS_INVALID', `The message${where} is not UMS: ${fault}.`, {
    cause,
    details: place === null ? {} : { ...place },
  });
}

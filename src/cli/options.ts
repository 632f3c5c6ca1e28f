import { InvalidArgumentError } from 'commander';

/** A whole number from 0 up. */
export function wholeOption(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('Expected a whole number.');
  return Number(text);
}

/** An offset. */
export function offsetOption(text: string): bigint {
  if (!/^\d{1,19}$/.test(text)) throw new InvalidArgumentError('Expected an offset, that is a whole number.');
  return BigInt(text);
}

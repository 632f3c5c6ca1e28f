import { UmbusError } from '../core/errors.ts';

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a duration such as `200ms`, `5s`, `1m`, `12h`, `7d`. Throws UMBUS_TOPOLOGY_INVALID. */
export function durationMs(text: string): number {
  const match = /^(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h|d)$/.exec(text);
  const unit = unitMs[match?.[2] ?? ''];
  if (unit === undefined) {
    throw new UmbusError(
      'UMBUS_TOPOLOGY_INVALID',
      `'${text}' is not a duration: a number followed by ms, s, m, h or d.`,
    );
  }
  return Number(match?.[1]) * unit;
}

/** When a punctuation fires: before each commit, every so often by the wall clock, or each time record time passes a multiple of the interval. */
export type Schedule =
  | { readonly kind: 'commit' }
  | { readonly kind: 'wall'; readonly everyMs: number }
  | { readonly kind: 'stream'; readonly everyMs: number };

/** Reads a key of `Processor.every`: `commit`, `200ms`, `stream:1m`. Throws UMBUS_TOPOLOGY_INVALID. */
export function scheduleOf(text: string): Schedule {
  if (text === 'commit') return { kind: 'commit' };
  const stream = text.startsWith('stream:');
  const everyMs = durationMs(stream ? text.slice('stream:'.length) : text);
  if (everyMs <= 0)
    throw new UmbusError('UMBUS_TOPOLOGY_INVALID', `The punctuation '${text}' needs an interval above 0.`);
  return { kind: stream ? 'stream' : 'wall', everyMs };
}

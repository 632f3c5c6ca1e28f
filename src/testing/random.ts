/** A source of chance that a seed fixes: equal seeds give equal choices. */
export interface Random {
  /** 0 up to 1. */
  next(): number;
  /** A whole number from 0 to `bound` - 1. */
  below(bound: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  /** One of the choices; undefined when there is none. */
  pick<T>(choices: readonly T[]): T | undefined;
}

/** Makes a {@link Random}. The generator is mulberry32: one 32-bit state, good enough to choose among schedules. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
  const below = (bound: number): number => Math.floor(next() * bound);
  return {
    next,
    below,
    chance: probability => probability > 0 && next() < probability,
    pick: choices => choices[below(choices.length)],
  };
}

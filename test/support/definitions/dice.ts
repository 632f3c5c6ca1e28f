/** Numbers that decide, one after the other. When they are used up all others are 0, so that fewer numbers make a simpler statement. */
export class Dice {
  readonly #numbers: readonly number[];
  #at = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  /** A number below `bound`. */
  below(bound: number): number {
    return (this.#numbers[this.#at++] ?? 0) % Math.max(1, bound);
  }

  /** True once in so many times; never when the numbers are used up. */
  once(times: number): boolean {
    return this.below(times) === times - 1;
  }

  /** One of a list, which must not be empty. */
  of<T>(list: readonly [T, ...T[]] | readonly T[]): T {
    const one = list[this.below(list.length)];
    if (one === undefined) throw new Error('There is nothing to choose from.');
    return one;
  }

  /** Between one and `most` of a list, in its order. */
  some<T>(list: readonly T[], most: number): readonly T[] {
    const wanted = 1 + this.below(most);
    const chosen = new Set(Array.from({ length: wanted }, () => this.below(list.length)));
    return list.filter((_, i) => chosen.has(i));
  }
}

/**
 * Which partition numbers a member has: `assigned` by the group, `held` since its listener was told, `lost` and not told yet. What is held and assigned to
 * another is held until it is given back.
 */
export class GroupOwnership {
  readonly #held = new Set<number>();
  readonly #lost = new Set<number>();
  #assigned: ReadonlySet<number> = new Set();

  get held(): ReadonlySet<number> {
    return this.#held;
  }

  get assigned(): readonly number[] {
    return ascending(this.#assigned);
  }

  /** What a member says that it owns when it joins: nobody else is given that. */
  get claimed(): readonly number[] {
    return ascending(new Set([...this.#held, ...this.#assigned]));
  }

  /** Held, and to be given back. */
  get revoke(): readonly number[] {
    return [...this.#held].filter(number => !this.#assigned.has(number));
  }

  /** Assigned, and not held yet. */
  get announce(): readonly number[] {
    return [...this.#assigned].filter(number => !this.#held.has(number));
  }

  /** Whether something was lost that is not told yet. */
  get hasLost(): boolean {
    return this.#lost.size > 0;
  }

  get empty(): boolean {
    return this.#held.size === 0 && this.#assigned.size === 0;
  }

  assign(numbers: readonly number[]): void {
    this.#assigned = new Set(numbers);
  }

  hold(numbers: readonly number[]): void {
    for (const number of numbers) this.#held.add(number);
  }

  giveBack(numbers: readonly number[]): void {
    for (const number of numbers) this.#held.delete(number);
  }

  /** What of `claimed` is neither assigned nor held: a claim that stands in the way of another member. */
  outdated(claimed: readonly number[]): boolean {
    return claimed.some(number => !this.#assigned.has(number) && !this.#held.has(number));
  }

  loseAll(): void {
    for (const number of this.#held) this.#lost.add(number);
    this.#held.clear();
    this.#assigned = new Set();
  }

  /** What was held and is lost; told once. */
  takeLost(): readonly number[] {
    const lost = [...this.#lost];
    this.#lost.clear();
    return lost;
  }
}

function ascending(numbers: ReadonlySet<number>): readonly number[] {
  return [...numbers].sort((one, other) => one - other);
}

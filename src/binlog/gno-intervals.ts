/** Transaction numbers of one source, as ascending intervals that neither overlap nor touch. */
export class GnoIntervals {
  /** First and last of each interval, in turn; both inclusive. */
  readonly #bounds: number[] = [];

  /** Adds one number; quickest when it follows the last one, which is how a running server counts. */
  add(gno: number): void {
    const bounds = this.#bounds;
    const last = bounds.length - 1;
    if (last > 0 && bounds[last] === gno - 1) bounds[last] = gno;
    else this.addRange(gno, gno);
  }

  /** Adds `first` to `last`, both inclusive. */
  addRange(first: number, last: number): void {
    const bounds = this.#bounds;
    let from = 0;
    while (from < bounds.length && at(bounds, from + 1) < first - 1) from += 2;
    let to = from;
    let low = first;
    let high = last;
    while (to < bounds.length && at(bounds, to) <= last + 1) {
      low = Math.min(low, at(bounds, to));
      high = Math.max(high, at(bounds, to + 1));
      to += 2;
    }
    bounds.splice(from, to - from, low, high);
  }

  /** Whether every number of the other is here. */
  containsAll(other: GnoIntervals): boolean {
    for (const [first, last] of other.ranges()) {
      let held = false;
      for (const [low, high] of this.ranges()) held ||= low <= first && last <= high;
      if (!held) return false;
    }
    return true;
  }

  /** Intervals held. */
  get count(): number {
    return this.#bounds.length / 2;
  }

  *ranges(): Iterable<readonly [first: number, last: number]> {
    const bounds = this.#bounds;
    for (let i = 0; i < bounds.length; i += 2) yield [at(bounds, i), at(bounds, i + 1)];
  }

  /** `1-5:7`. */
  toString(): string {
    const parts: string[] = [];
    for (const [first, last] of this.ranges()) parts.push(first === last ? `${first}` : `${first}-${last}`);
    return parts.join(':');
  }
}

/** The caller stays below the length. */
function at(bounds: readonly number[], index: number): number {
  return bounds[index] as number;
}

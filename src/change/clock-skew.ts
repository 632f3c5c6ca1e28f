/** One question for the time: what our clock said when it was sent and when the answer came, and what the answer was. Microseconds since 1970-01-01 UTC. */
export interface ClockSample {
  readonly sentMicros: number;
  readonly serverMicros: number;
  readonly receivedMicros: number;
}

/** How far another clock is ahead of ours, and how wrong that may be, in microseconds. */
export interface ClockSkew {
  readonly skewMicros: number;
  readonly errorMicros: number;
}

/** Samples that count. With one every few seconds a clock that is set is noticed within minutes at the latest. */
const KEPT = 16;

/**
 * The skew of a clock from round trips: the time that the answer names lies between sending and receiving, so the shortest trip tells best (NTP's clock filter, RFC 5905
 * section 10). A sample that cannot be true together with the best one shows that a clock was set, and the samples before it are forgotten.
 */
export class SkewFilter {
  #samples: ClockSkew[] = [];

  /** Takes a sample and gives the skew as it is known then. A trip that ends before it begins, since our clock was set, is left out. */
  add({ sentMicros, serverMicros, receivedMicros }: ClockSample): ClockSkew | null {
    const trip = receivedMicros - sentMicros;
    if (trip >= 0) {
      const sample = {
        skewMicros: Math.round(serverMicros - (sentMicros + receivedMicros) / 2),
        errorMicros: Math.ceil(trip / 2),
      };
      const best = this.best;
      const apart = best === null ? 0 : Math.abs(best.skewMicros - sample.skewMicros);
      if (best !== null && apart > best.errorMicros + sample.errorMicros + DRIFT_MICROS) this.#samples = [];
      this.#samples.push(sample);
      if (this.#samples.length > KEPT) this.#samples.shift();
    }
    return this.best;
  }

  /** The sample with the shortest trip; null before the first. */
  get best(): ClockSkew | null {
    let best: ClockSkew | null = null;
    for (const sample of this.#samples) {
      if (best === null || sample.errorMicros <= best.errorMicros) best = sample;
    }
    return best;
  }
}

/** Two honest clocks may drift apart by so much while samples are kept. */
const DRIFT_MICROS = 5_000;

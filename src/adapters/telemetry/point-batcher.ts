import { isUmbusError } from '../../core/errors.ts';
import type { Point, TimeSeries } from '../../ports/time-series.ts';

/** Most points in one request; InfluxDB's own advice is 5,000 to 10,000. */
const BATCH_POINTS = 5_000;

interface Waiting {
  readonly point: Point;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes points that come together in one request. Each call resolves when its own point is stored. What the database refuses is tried point by point, so that one that does not fit
 * does not take others with it. How many wait is bounded by who calls.
 */
export class PointBatcher {
  readonly #series: TimeSeries;
  #waiting: Waiting[] = [];

  constructor(series: TimeSeries) {
    this.#series = series;
  }

  /** Errors: as `TimeSeries.write`. */
  write(point: Point): Promise<void> {
    return new Promise((resolve, reject) => {
      // After the calls that come in the same turn.
      if (this.#waiting.length === 0) queueMicrotask(() => void this.#flush());
      this.#waiting.push({ point, resolve, reject });
    });
  }

  async #flush(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (let start = 0; start < waiting.length; start += BATCH_POINTS)
      await this.#writeBatch(waiting.slice(start, start + BATCH_POINTS));
  }

  async #writeBatch(batch: readonly Waiting[]): Promise<void> {
    try {
      await this.#series.write(batch.map(({ point }) => point));
      for (const { resolve } of batch) resolve();
    } catch (error) {
      if (batch.length > 1 && isUmbusError(error, 'UMBUS_INFLUXDB_REFUSED')) await this.#writeEach(batch);
      else for (const { reject } of batch) reject(error);
    }
  }

  async #writeEach(batch: readonly Waiting[]): Promise<void> {
    for (const { point, resolve, reject } of batch) {
      try {
        await this.#series.write([point]);
        resolve();
      } catch (error) {
        reject(error);
      }
    }
  }
}

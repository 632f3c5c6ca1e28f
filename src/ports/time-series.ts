/**
 * A database of points in time, such as InfluxDB. Adapter: telemetry (InfluxDB 1.x), tested on a real server.
 */

/** What was measured at a moment. A second point with the same measurement, tags and time takes the place of the first, so writing again harms nothing. */
export interface Point {
  readonly measurement: string;
  /** Indexed names; a tag with an empty value is left out. */
  readonly tags: Readonly<Record<string, string>>;
  /** At least one, finite. */
  readonly fields: Readonly<Record<string, number>>;
  /** Nanoseconds since 1970-01-01 UTC. */
  readonly atNanos: bigint;
}

export interface TimeSeries {
  /**
   * Resolves when all are stored. Errors: UMBUS_INFLUXDB_UNREACHABLE when the same may succeed later, UMBUS_INFLUXDB_REFUSED when it will not: some of the points are
   * stored then, and some not.
   */
  write(points: readonly Point[]): Promise<void>;
}

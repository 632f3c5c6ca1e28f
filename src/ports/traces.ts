/**
 * Spans of traces, as OpenTelemetry has them: what took how long, within what. Adapter: telemetry (OTLP over HTTP).
 */

/** A piece of work. Ids are lower-case hex: 32 digits of a trace, 16 of a span. Times are nanoseconds since 1970-01-01 UTC. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  /** Null for the span that the trace begins with. */
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly startNanos: bigint;
  /** Not before `startNanos`. */
  readonly endNanos: bigint;
  /** Names, counts, places; never a row value. */
  readonly attributes: Readonly<Record<string, string | number>>;
}

export interface Spans {
  /**
   * Resolves when the other side has taken all. A span that is sent again has the same ids. Errors: UMBUS_OTLP_UNREACHABLE when the same may succeed later, UMBUS_OTLP_REFUSED when
   * it will not.
   */
  write(spans: readonly Span[]): Promise<void>;
}

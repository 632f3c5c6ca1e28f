import { createHash } from 'node:crypto';
import type { StatMessage } from '../../change/stat-message.ts';
import type { Span } from '../../ports/traces.ts';

/** A hop of a heartbeat: its name, and when it ended, in microseconds since 1970-01-01 UTC. */
type Hop = readonly [name: string, endMicros: number | null];

/**
 * The way of a heartbeat of one table as a trace: a span for the whole way, and below it one for each hop that said when the heartbeat passed. Ids follow from line, table, round and the `offset` of the
 * statistic, so one that is read again gives the same spans, whichever process reads it. The source's clock is corrected by the skew that was measured; what would end before it began ends where it began. None for
 * a statistic of another hop than the last.
 */
export function beatSpans(stat: StatMessage, offset: bigint): readonly Span[] {
  if (stat.type !== 'HEART_BEAT') return [];
  const { dsName, schemaName, tableName, payload, count } = stat;
  const { us, skew, captured, dispatched, appended, read, beat } = payload;
  const table = `${schemaName}.${tableName}`;
  const place = `${dsName} ${table} ${offset} ${beat} ${us}`;
  const traceId = digest(place, 32);
  const startMicros = us - (skew ?? 0);
  const hops: readonly Hop[] = [
    ['source to extractor', captured],
    ['extractor to dispatcher', dispatched],
    ['dispatcher to appender', appended],
    ['appender to reader', read],
  ];
  const attributes = { 'umbus.line': dsName, 'umbus.table': table, 'umbus.beat': beat };
  const rootId = digest(`${place} root`, 16);
  const children: Span[] = [];
  let at = startMicros;
  for (const [name, ended] of hops) {
    if (ended === null) continue;
    const endMicros = Math.max(at, ended);
    children.push({
      traceId,
      spanId: digest(`${place} ${name}`, 16),
      parentSpanId: rootId,
      name,
      startNanos: nanos(at),
      endNanos: nanos(endMicros),
      attributes,
    });
    at = endMicros;
  }
  const root: Span = {
    traceId,
    spanId: rootId,
    parentSpanId: null,
    name: `heartbeat ${table}`,
    startNanos: nanos(startMicros),
    endNanos: nanos(at),
    attributes: { ...attributes, 'umbus.rows': count },
  };
  return [root, ...children];
}

function nanos(micros: number): bigint {
  return BigInt(Math.round(micros)) * 1000n;
}

function digest(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits);
}

import type { HopCounts } from '../ums/beat-stamps.ts';

/** Statistics of a hop between two heartbeats of a table, as DBUS writes them on {@link STATISTIC_TOPIC}. */
export interface StatMessage {
  readonly dsName: string;
  readonly schemaName: string;
  readonly tableName: string;
  /** Which hop. */
  readonly type: StatType;
  /** Rows since the heartbeat before; before images do not count. Dispatchers count row events. */
  readonly count: number;
  /** Events parked since then. */
  readonly errorCount: number;
  /** Values published as marks since then. */
  readonly warningCount: number;
  /** When the heartbeat was inserted, by the source's clock: milliseconds since 1970-01-01 UTC. */
  readonly checkpointMS: number;
  /** When its round began. */
  readonly txTimeMS: number;
  /** When it passed the hop, by the hop's clock. */
  readonly localMS: number;
  /** From insert to hop, in milliseconds, with the skew of the clocks taken out; never below 0. */
  readonly latencyMS: number;
  /** Offset of the record that the heartbeat came in. */
  readonly offset: number;
  /** {@link checkpointMS} and {@link localMS} as `yyyy-MM-dd HH:mm:ss.SSS`, UTC. */
  readonly checkpointTime: string;
  readonly localTime: string;
  readonly payload: StatPayload;
}

/** A hop: dispatcher, appender, reader of the results. */
export type StatType = 'DISPATCH_TYPE' | 'APPENDER_TYPE' | 'HEART_BEAT';

/** What umbus adds. Times are microseconds since 1970-01-01 UTC, null where they are not known. */
export interface StatPayload {
  /** Number of the round. */
  readonly beat: number;
  /** Bytes since the heartbeat before: of messages, of events in a dispatcher. */
  readonly bytes: number;
  /** Whether the table is parked. */
  readonly status: 'ok' | 'abort';
  /** By how much the source's clock is ahead of that of whoever beats. */
  readonly skew: number | null;
  /** When the heartbeat passed each hop, by the clocks of the hops. */
  readonly us: number;
  readonly captured: number | null;
  readonly dispatched: number | null;
  readonly appended: number | null;
  readonly read: number | null;
}

/** The topic of statistics, as DBUS names it. */
export const STATISTIC_TOPIC = 'dbus_statistic';

/** A heartbeat at a hop. `localMicros`: when, by the hop's clock. */
export function statMessage(
  type: StatType,
  table: { readonly ds: string; readonly schema: string; readonly table: string },
  beat: { readonly timeMs: number; readonly roundMs: number },
  hop: { readonly localMicros: number; readonly offset: number; readonly counts: HopCounts },
  payload: Omit<StatPayload, 'bytes'>,
): StatMessage {
  const localMS = Math.floor(hop.localMicros / 1000);
  const { rows, bytes, errors, warnings } = hop.counts;
  return {
    dsName: table.ds,
    schemaName: table.schema,
    tableName: table.table,
    type,
    count: rows,
    errorCount: errors,
    warningCount: warnings,
    checkpointMS: beat.timeMs,
    txTimeMS: beat.roundMs,
    localMS,
    latencyMS: Math.round(Math.max(0, latencyMicros(payload, hop.localMicros)) / 1000),
    offset: hop.offset,
    checkpointTime: timeText(beat.timeMs),
    localTime: timeText(localMS),
    payload: { ...payload, bytes },
  };
}

/** From the insert at the source to a time of a hop, with the skew taken out, in microseconds; below 0 when clocks differ by more than is known. */
export function latencyMicros({ us, skew }: Pick<StatPayload, 'us' | 'skew'>, hopMicros: number): number {
  return hopMicros - (us - (skew ?? 0));
}

/** Key of a statistic, as DBUS has it: the dispatcher's with type and round. */
export function statKey({ dsName, schemaName, tableName, type, txTimeMS }: StatMessage): string {
  const table = `${dsName}.${schemaName}.${tableName}`;
  return type === 'DISPATCH_TYPE' ? `${table}.${type}.${txTimeMS}` : table;
}

function timeText(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').replace('Z', '');
}

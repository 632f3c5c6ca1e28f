import { BEAT_HEADER, type BeatStamps, beatStampsOf } from '../ums/beat-stamps.ts';
import { parseKey } from './namespace.ts';
import type { UmsRecord } from './subscribe.ts';

/** A heartbeat: all rows of its table that the source wrote before it have been read. */
export interface UmsHeartbeat {
  /** `schema.table`. */
  readonly table: string;
  readonly version: number;
  /** When it was inserted, by the source's clock: milliseconds since 1970-01-01 UTC. */
  readonly insertedMs: number;
  /** When its round began: milliseconds since 1970-01-01 UTC. */
  readonly roundMs: number;
  /** `ok`, or `abort` while the table is parked. */
  readonly status: string;
  /** Its number, when it passed each hop, and what was counted since the one before; null when its writer did not say. */
  readonly stamps: BeatStamps | null;
  /**
   * Milliseconds from the insert to `nowMs`, the reader's clock, with the skew of the source's clock taken out; null where the skew is not known. Below 0 when the reader's clock differs from that of
   * the line: that is no latency.
   */
  latencyMs(nowMs: number): number | null;
}

/** The heartbeat that a record of a result topic is; null for any other message. Errors: UMBUS_UMS_INVALID for a key of another form. */
export function heartbeatOf({
  key,
  message,
  headers,
}: Pick<UmsRecord, 'key' | 'message' | 'headers'>): UmsHeartbeat | null {
  if (message.protocol.type !== 'data_increment_heartbeat') return null;
  const { namespace, timestampMs, roundMs, status } = parseKey(key);
  const stamps = beatStampsOf(headers[BEAT_HEADER]);
  return {
    table: `${namespace.schema}.${namespace.table}`,
    version: namespace.version,
    insertedMs: timestampMs,
    roundMs: roundMs ?? timestampMs,
    status: status ?? 'ok',
    stamps,
    latencyMs: nowMs =>
      stamps === null || stamps.skew === null ? null : nowMs - (stamps.us - stamps.skew) / 1000,
  };
}

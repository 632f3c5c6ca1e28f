/** What a heartbeat says of itself: the column `PACKET` of its row. DBUS's members, and three more. */
export interface HeartbeatPacket {
  /** Where DBUS keeps the progress: `/DBus/HeartBeat/Monitor/<ds>/<schema>/<table>/<partition>`; '' when left out. */
  readonly node: string;
  /** When the row was inserted, by the source's clock: milliseconds since 1970-01-01 UTC. */
  readonly timeMs: number;
  /** When its round began, by the clock of whoever beats: milliseconds since 1970-01-01 UTC. */
  readonly roundMs: number;
  readonly type: 'checkpoint' | 'heartbeat';
  /** Number of the round, from 1; 0 when DBUS wrote the row. */
  readonly beat: number;
  /** {@link timeMs} in microseconds. */
  readonly micros: number;
  /** By how many microseconds the source's clock was ahead of the clock of whoever beats; null when not measured. */
  readonly skewMicros: number | null;
}

/** Bytes that the column takes. */
export const PACKET_CHARACTERS = 256;

/**
 * Reads a packet, also one that DBUS wrote; null for anything else. Times must be whole numbers of at most 53 bits.
 */
export function parsePacket(text: string): HeartbeatPacket | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof json !== 'object' || json === null) return null;
  const member = (name: string): unknown => (json as Record<string, unknown>)[name]; // an object, as was checked
  const timeMs = whole(member('time'));
  if (timeMs === null) return null;
  const node = member('node');
  return {
    node: typeof node === 'string' ? node : '',
    timeMs,
    roundMs: whole(member('txTime')) ?? timeMs,
    type: member('type') === 'checkpoint' ? 'checkpoint' : 'heartbeat',
    beat: whole(member('beat')) ?? 0,
    micros: whole(member('us')) ?? timeMs * 1000,
    skewMicros: whole(member('skew')),
  };
}

function whole(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : null;
}

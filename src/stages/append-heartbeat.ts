import { parsePacket } from '../change/heartbeat-packet.ts';
import { ALL, type HeartbeatRow } from '../change/signal-tables.ts';
import { heartbeatKey, heartbeatMessage } from '../ums/message.ts';
import type { EventPlace } from './append-event.ts';
import type { SignalScope } from './append-signal.ts';
import type { MakeBeat } from './append-table.ts';
import { tablePartition } from './dispatch.ts';

/** Which heartbeat it was. */
export interface BeatMark {
  /** Number of its round; 0 when DBUS wrote it. */
  readonly beat: number;
  /** When it was inserted, by the source's clock: microseconds since 1970-01-01 UTC. */
  readonly micros: number;
}

const MICROS = 1_000_000;

/**
 * Turns a heartbeat row into messages: one for each table that it is for, on each partition that can have rows of the table, behind all rows that came before. A row for
 * one table makes it known, so that it has heartbeats without rows. Null for a packet that nobody understands, `elsewhere` when the row is for other tables.
 * `partitions`: of `<ds>.<schema>`.
 */
export function appendHeartbeat(
  row: HeartbeatRow,
  event: EventPlace,
  scope: SignalScope,
  partitions: number,
): BeatMark | null | 'elsewhere' {
  const packet = parsePacket(row.packet);
  if (packet === null) return null;
  const { schema, shared } = scope;
  if (schema === '' || (row.schema !== ALL && row.schema !== schema)) return 'elsewhere';
  const { prefix, settings } = shared;
  const { micros } = packet;
  const seconds = Math.floor(micros / MICROS);
  prefix.time(seconds, micros - seconds * MICROS);
  prefix.event(event.position, 'i');
  const id = prefix.idText();
  const time = prefix.timeText();
  const make: MakeBeat = (namespace, status) => ({
    key: heartbeatKey(namespace, packet, status, settings.ds),
    value: heartbeatMessage(namespace, id, time),
  });
  if (row.table === ALL) {
    for (const part of scope.all()) if (part?.beats === true) part.beat(make);
  } else {
    if (tablePartition(schema, row.table, partitions) !== shared.partition) return 'elsewhere';
    const part = scope.one(row.table);
    if (part === null) return 'elsewhere';
    part.introduce();
    part.beat(make);
  }
  return { beat: packet.beat, micros };
}

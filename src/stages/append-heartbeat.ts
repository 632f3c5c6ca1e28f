import type { Buffer } from 'node:buffer';
import { type HeartbeatPacket, parsePacket } from '../change/heartbeat-packet.ts';
import { ALL, type HeartbeatRow } from '../change/signal-tables.ts';
import { statMessage } from '../change/stat-message.ts';
import { BEAT_HEADER, beatBytes, type HopCounts } from '../ums/beat-stamps.ts';
import { heartbeatKey, heartbeatMessage } from '../ums/message.ts';
import { ALL_PARTS, ORDINARY_PART, OWN_NAME } from '../ums/namespace.ts';
import type { EventPlace } from './append-event.ts';
import type { MakeBeat } from './append-shared.ts';
import type { SignalOrigin, SignalScope } from './append-signal.ts';
import type { TableState } from './append-state.ts';
import type { TablePart } from './append-table.ts';
import { tablePartition } from './dispatch.ts';

/** Which heartbeat it was. */
export interface BeatMark {
  /** Number of its round; 0 when DBUS wrote it. */
  readonly beat: number;
  /** When it was inserted, by the source's clock: microseconds since 1970-01-01 UTC. */
  readonly micros: number;
}

/** What a table has had since its last heartbeat, given what it has now; null when it has had this round already. */
export type SinceLast = (table: string, beat: number, now: HopCounts) => HopCounts | null;

const MICROS = 1_000_000;

/** Turns heartbeat rows into messages. */
export class HeartbeatWriter {
  readonly #scope: SignalScope;
  readonly #origin: SignalOrigin;
  readonly #event: EventPlace;
  readonly #sinceLast: SinceLast;

  /** `sinceLast` gives what a table has had since its last heartbeat. */
  constructor(scope: SignalScope, origin: SignalOrigin, event: EventPlace, sinceLast: SinceLast) {
    this.#scope = scope;
    this.#origin = origin;
    this.#event = event;
    this.#sinceLast = sinceLast;
  }

  /**
   * Writes one message for each table that the row is for, on each partition that can have rows of the table, behind all rows that came before. A row for one table
   * makes it known, so that it has heartbeats without rows. A table has each round once, also when two of its rows are for the table. Null for a packet that nobody understands, `elsewhere` when the row is for other tables. `partitions`: of
   * `<ds>.<schema>`.
   */
  write(row: HeartbeatRow, partitions: number): BeatMark | null | 'elsewhere' {
    const packet = parsePacket(row.packet);
    if (packet === null) return null;
    const { schema } = this.#origin;
    if (row.schema !== ALL && row.schema !== schema) return 'elsewhere';
    const mark = { beat: packet.beat, micros: packet.micros };
    if (row.table === ALL) {
      for (const group of this.#groups(schema).values()) this.#beat(group, packet);
      return mark;
    }
    const { settings, partition } = this.#scope.shared;
    const name = settings.logical(schema, row.table);
    if (tablePartition(schema, name, partitions) !== partition) return 'elsewhere';
    const others = settings.logical === OWN_NAME ? [] : (this.#groups(schema).get(name) ?? []);
    // A row may name a logical table itself, which need be no table of the source.
    const part = row.table === name && others.length > 0 ? null : this.#scope.one(schema, row.table);
    part?.name(true);
    const group = part === null ? others : [part, ...others.filter(other => other !== part)];
    if (group.length === 0) return 'elsewhere';
    this.#beat(group, packet);
    return mark;
  }

  /** The tables of a schema by their logical name, in order. */
  #groups(schema: string): ReadonlyMap<string, readonly TablePart[]> {
    const groups = new Map<string, TablePart[]>();
    for (const part of this.#scope.all(schema)) {
      if (part === null) continue;
      const group = groups.get(part.published.table);
      if (group === undefined) groups.set(part.published.table, [part]);
      else group.push(part);
    }
    return groups;
  }

  /** One heartbeat for all tables of a logical one: behind all of their rows, with what they had together. */
  #beat(group: readonly TablePart[], packet: HeartbeatPacket): void {
    const [first] = group;
    if (first === undefined || !group.some(part => part.beats)) return;
    const { ds } = this.#scope.shared.settings;
    const { captured, dispatched, appended, offset } = this.#origin;
    const { schema, table } = first.published;
    const { beat, micros: us, skewMicros: skew } = packet;
    const states = group.map(part => part.settled());
    const sum = (of: (state: TableState) => number): number =>
      states.reduce((total, state) => total + of(state), 0);
    const make: MakeBeat = namespace => {
      const counts = this.#sinceLast(table, beat, {
        rows: sum(state => state.inserts + state.updates + state.deletes),
        bytes: sum(state => state.bytes ?? 0),
        errors: sum(state => state.parked?.events ?? 0),
        warnings: sum(state => state.marks ?? 0),
      });
      if (counts === null) return null;
      const status = states.every(({ parked }) => parked === null) ? 'ok' : 'abort';
      const stamps = { beat, us, skew, captured, dispatched, appended };
      const hop = { localMicros: appended, offset: Number(offset), counts };
      const payload = { ...stamps, status, read: null } as const;
      return {
        key: heartbeatKey(namespace, packet, status, ds),
        value: this.#message(namespace, us),
        headers: { [BEAT_HEADER]: beatBytes({ ...stamps, ...counts }) },
        stat: statMessage('APPENDER_TYPE', { ds, schema, table }, packet, hop, payload),
      };
    };
    const ordinary = group.every(({ published }) => published.part === ORDINARY_PART);
    const version = Math.max(...group.map(part => part.version));
    first.beat(make, ordinary ? ORDINARY_PART : ALL_PARTS, version);
  }

  #message(namespace: string, us: number): Buffer {
    const { prefix } = this.#scope.shared;
    const seconds = Math.floor(us / MICROS);
    prefix.time(seconds, us - seconds * MICROS);
    prefix.event(this.#event.position, 'i');
    return heartbeatMessage(namespace, prefix.idText(), prefix.timeText());
  }
}

import { Buffer } from 'node:buffer';
import { type StatMessage, statMessage } from '../change/stat-message.ts';
import type { Processor } from '../topology/types.ts';
import { BEAT_HEADER, beatStampsOf } from '../ums/beat-stamps.ts';

/** What reads the results back. */
export interface HeartbeatWatchOptions {
  readonly ds: string;
  /**
   * Notes how far the heartbeats of a table have come: a path and a value as DBUS has them, at most once in {@link PROGRESS_EVERY_MS} for each table. Left out: nowhere.
   */
  readonly progress?: (path: string, value: Uint8Array) => void;
}

/** As often as DBUS writes its nodes. */
const PROGRESS_EVERY_MS = 60_000;
const PREFIX = Buffer.from('data_increment_heartbeat.');
/** Tables whose progress is remembered; a line has far fewer. */
const MAX_TABLES = 10_000;

/**
 * Reads result topics as any consumer does and gives a statistic for each heartbeat: the end of its way. Looks at keys alone, whatever the format of the results.
 */
export function createHeartbeatWatch({
  ds,
  progress,
}: HeartbeatWatchOptions): Processor<Uint8Array, Uint8Array, string, StatMessage> {
  const noted = new Map<string, number>();
  return {
    on: (record, context, emit) => {
      const { key } = record;
      if (Buffer.compare(PREFIX, key.subarray(0, PREFIX.length)) !== 0) return;
      const beat = readBeat(Buffer.from(key).toString('utf8'));
      const stamps = beatStampsOf(record.headers[BEAT_HEADER]);
      if (beat === null || stamps === null || beat.ds !== ds) return;
      const read = Math.round(context.now() * 1000);
      const { rows, bytes, errors, warnings, ...hops } = stamps;
      const stat = statMessage(
        'HEART_BEAT',
        beat,
        beat,
        { localMicros: read, offset: Number(record.offset), counts: { rows, bytes, errors, warnings } },
        { ...hops, status: beat.status, read },
      );
      emit(Buffer.from(key).toString('utf8'), stat, { partition: 0, headers: {} });
      if (progress !== undefined && beat.status === 'ok') note(noted, progress, beat, context.now());
    },
  };
}

interface ReadBeat {
  readonly ds: string;
  readonly schema: string;
  readonly table: string;
  readonly timeMs: number;
  readonly roundMs: number;
  readonly status: 'ok' | 'abort';
}

/** `data_increment_heartbeat.<namespace>.<ms>|<round ms>|<status>|<ds>.wh_placeholder`, as the appender writes it. */
function readBeat(key: string): ReadBeat | null {
  const match =
    /^data_increment_heartbeat\.[^.]+\.([^.]+)\.([^.]+)\.(.+)\.\d+\.[^.]+\.[^.]+\.(\d+)\|(\d+)\|(ok|abort)\|/s.exec(
      key,
    );
  const [, ds, schema, table, time, round, status] = match ?? [];
  if (ds === undefined || schema === undefined || table === undefined) return null;
  return {
    ds,
    schema,
    table,
    timeMs: Number(time),
    roundMs: Number(round),
    status: status === 'abort' ? 'abort' : 'ok',
  };
}

function note(
  noted: Map<string, number>,
  progress: (path: string, value: Uint8Array) => void,
  { ds, schema, table, timeMs, roundMs }: ReadBeat,
  nowMs: number,
): void {
  const path = `DBus/HeartBeat/Monitor/${ds}/${schema}/${table}/0`;
  if (nowMs - (noted.get(path) ?? Number.NEGATIVE_INFINITY) < PROGRESS_EVERY_MS) return;
  if (noted.size >= MAX_TABLES) noted.clear();
  noted.set(path, nowMs);
  const packet = { node: `/${path}`, time: timeMs, type: 'checkpoint', txTime: roundMs };
  progress(path, Buffer.from(JSON.stringify(packet), 'utf8'));
}

/** What the watermark rows of full pulls say (signal-tables.ts), and what the appender answers. */
import { isUmbusError, messageOf, type UmbusError } from '../core/errors.ts';

/** Which table a watermark is about. */
export interface PullPlace {
  /** Name of the pull. */
  readonly pull: string;
  readonly schema: string;
  readonly table: string;
}

/**
 * Which messages of a table wait until its pull is over. `begin`: all from its begin on. `rows`: all from the moment that its rows were read at, for a table without a key, whose rows and
 * changes cannot be told from each other: they are read when nothing changes.
 */
export type PullHold = 'begin' | 'rows';

/**
 * A watermark row: `kind` is its column of that name, all else is the JSON of its column `packet`.
 *
 * - `begin`: a pull of the table begins. `whole`: it will bring all rows. `hold`: which messages of the table wait until it is over; absent for none.
 * - `low`: rows of a shard are about to be read. `last`: no shard comes behind it, which who cut the table has written with the shard itself, and so said once. `high`: the server has begun to answer, so what it reads is older than this row.
 * - `cancel`: no more of it will come.
 * - `place`: rows are about to be read that do not go to the result topic; where does this stand?
 */
export type PullSignal =
  | (PullPlace & { readonly kind: 'begin'; readonly whole: boolean; readonly hold?: PullHold })
  | (PullPlace & {
      readonly kind: 'low' | 'high';
      readonly shard: number;
      readonly token: string;
      readonly last?: true;
    })
  | (PullPlace & { readonly kind: 'cancel' })
  | (PullPlace & { readonly kind: 'place'; readonly token: string });

/** A place in the stream, and what messages of a table say there. */
export interface PulledPlace {
  readonly at: WatermarkPlace;
  readonly version: number;
  readonly innerVersion: number;
  readonly batchId: number;
}

/** Where a watermark stands. */
export interface WatermarkPlace {
  readonly epoch: number;
  readonly fileNumber: number;
  /** File offset of the row event. */
  readonly position: number;
  /** Commit time in whole seconds, and the microseconds within, or -1. */
  readonly seconds: number;
  readonly micros: number;
}

/** The packet of a signal. */
export function signalPacket(signal: PullSignal): string {
  const { kind: _, ...packet } = signal;
  return JSON.stringify(packet);
}

/** Reads a watermark row; null for one that nobody understands. */
export function parseSignal(kind: string, token: string, packet: string): PullSignal | null {
  let json: unknown;
  try {
    json = JSON.parse(packet);
  } catch {
    return null;
  }
  if (typeof json !== 'object' || json === null) return null;
  const member = (name: string): unknown => (json as Record<string, unknown>)[name]; // an object, as was checked
  const [pull, schema, table] = [member('pull'), member('schema'), member('table')];
  if (typeof pull !== 'string' || typeof schema !== 'string' || typeof table !== 'string') return null;
  const place = { pull, schema, table };
  switch (kind) {
    case 'begin': {
      const hold = member('hold');
      const held = hold === 'begin' || hold === 'rows' ? ({ hold } as const) : null;
      return { ...place, kind, whole: member('whole') === true, ...held };
    }
    case 'low':
    case 'high': {
      const shard = count(member('shard'));
      const last = member('last') === true ? ({ last: true } as const) : null;
      return shard === null || token === '' ? null : { ...place, kind, shard, token, ...last };
    }
    case 'cancel':
      return { ...place, kind };
    case 'place':
      return token === '' ? null : { ...place, kind, token };
    default:
      return null;
  }
}

function count(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

/** Why a pull did not go on: a code of the error table and its sentence. */
export interface PullFailure {
  readonly code: string;
  readonly message: string;
}

/** An answer of the appender, on `<ds>_pull`, in the order of what it is about. */
export type PullAnswer = PullPlace &
  (
    | { readonly kind: 'begun'; readonly batchId: number }
    /** The shard is to be read from `next` on; null: from its start. */
    | { readonly kind: 'low'; readonly token: string; readonly shard: number; readonly next: string | null }
    | { readonly kind: 'high'; readonly token: string; readonly shard: number }
    /** Null when the line does not publish the table. */
    | { readonly kind: 'placed'; readonly token: string; readonly place: PulledPlace | null }
    /** Rows are those of the pull so far; `done`: shards that are whole. */
    | {
        readonly kind: 'page';
        readonly token: string;
        readonly shard: number;
        readonly rows: number;
        readonly done: number;
        readonly whole: boolean;
      }
    /** The window counts no more: the shard is to be read again from where it was, in a window of its own. */
    | { readonly kind: 'void'; readonly token: string; readonly shard: number; readonly why: string }
    /** The shard was whole before. */
    | { readonly kind: 'known'; readonly token: string; readonly shard: number }
    | { readonly kind: 'ended'; readonly rows: number; readonly shards: number; readonly batchId: number }
    | { readonly kind: 'aborted'; readonly failure: PullFailure }
  );

/** What an error says to whoever waits for a pull. */
export function failureOf(error: UmbusError | unknown): PullFailure {
  return { code: isUmbusError(error) ? error.code : 'UMBUS_INTERNAL', message: messageOf(error) };
}

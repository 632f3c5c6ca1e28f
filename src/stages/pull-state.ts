import type { PullFailure, PullHold, WatermarkPlace } from '../change/pull-signal.ts';
import { json, utf8 } from '../topology/serdes.ts';
import { store } from '../topology/topic.ts';
import type { StoreDef } from '../topology/types.ts';
import type { VersionColumn } from './append-state.ts';

/** Where the low watermark of a window stands: what its rows have for ids and time. */
export type WindowPlace = WatermarkPlace;

/** A stretch of the stream in which rows of a shard are read. */
export interface PullWindow {
  readonly token: string;
  readonly shard: number;
  readonly low: WindowPlace;
  /** Version of the table at its low watermark. */
  readonly version: number;
  /** Whether its high watermark has passed. */
  readonly high: boolean;
  /** Number of the page that comes next. */
  readonly page: number;
}

/** What the appender knows of the newest pull of a table. */
export interface PullState {
  readonly pull: string;
  readonly batchId: number;
  readonly whole: boolean;
  readonly phase: 'open' | 'ended' | 'aborted';
  readonly failure: PullFailure | null;
  /** Shards in all; null before the last of them has been taken. */
  readonly shards: number | null;
  /** Shards that are whole, as ranges `[first, last]` in order. */
  readonly done: readonly (readonly [first: number, last: number])[];
  /** Rows published. */
  readonly rows: number;
  /** The columns of its rows; null before the first page. */
  readonly columns: readonly VersionColumn[] | null;
  /** What its rows, and the keys that change, are told apart by (`keyedBy`); null before the first of them, and {@link MIXED} when it was more than one thing. */
  readonly keyedBy: string | null;
  readonly windows: readonly PullWindow[];
  /** Where shards that are not whole go on, for those that have begun. */
  readonly next: Readonly<Record<string, string>>;
  /** Keys in the store `changed`. */
  readonly changed: number;
  /** Which messages of the table wait until it is over; absent for none. */
  readonly hold?: PullHold;
  /** What waits; null while nothing has to. */
  readonly held: HeldCount | null;
}

/** Messages of a table that wait, in the store `held`. */
export interface HeldCount {
  readonly count: number;
  readonly bytes: number;
  /** Version of the table when they began to wait, and where that was. */
  readonly version: number;
  readonly at: WindowPlace;
}

/** No {@link PullState.keyedBy} of any rows. */
export const MIXED = 'mixed';

/** The appender's store of {@link PullState} by `schema.table`. */
export const pullsStore: StoreDef<string, PullState> = store('pulls', utf8, json<PullState>());

/** Keys that changed while windows of their table are open: `schema.table`, a zero character and the key's text; and where it changed last ({@link placeText}). */
export const changedStore: StoreDef<string, string> = store('changed', utf8, utf8);

/** A place in the stream as text that compares as places do. */
export function placeText({
  epoch,
  fileNumber,
  position,
}: Pick<WindowPlace, 'epoch' | 'fileNumber' | 'position'>): string {
  return `${digits(epoch, 10)}${digits(fileNumber, 6)}${digits(position, 16)}`;
}

function digits(value: number, count: number): string {
  return String(value).padStart(count, '0');
}

/** A pull that begins. */
export function newPull(pull: string, batchId: number, whole: boolean): PullState {
  return {
    pull,
    batchId,
    whole,
    phase: 'open',
    failure: null,
    shards: null,
    done: [],
    rows: 0,
    columns: null,
    keyedBy: null,
    windows: [],
    next: {},
    changed: 0,
    held: null,
  };
}

/** Whether a shard is whole. */
export function isDone({ done }: Pick<PullState, 'done'>, shard: number): boolean {
  return done.some(([first, last]) => shard >= first && shard <= last);
}

/** How many shards are whole. */
export function doneCount({ done }: Pick<PullState, 'done'>): number {
  return done.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}

/** The ranges with one more shard. */
export function withDone(done: PullState['done'], shard: number): PullState['done'] {
  const ranges: [number, number][] = [];
  const all = [...done, [shard, shard] as const].sort(([a], [b]) => a - b);
  for (const [first, last] of all) {
    const before = ranges.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else ranges.push([first, last]);
  }
  return ranges;
}

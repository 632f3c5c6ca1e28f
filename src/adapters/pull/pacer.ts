import { UmbusError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { LoadWatch } from './load-watch.ts';
import { FREE, type PullCells, type PullControl } from './pull-cells.ts';

/** How long what people want of a pull is taken as known. */
const KNOWN_MS = 500;
/** Pulls that are remembered; more are looked up again. */
const MOST_PULLS = 1000;

/** How long rows wait that are too much for others, before their shard is left. */
const MOST_HELD_MS = 10_000;
/** Between two notes of what a pull is a burden to. */
const NOTE_MS = 1000;

interface Pace {
  control: PullControl;
  readMs: number;
  /** Rows a second that {@link Pace.freeMs} counts by; null for no bound. */
  rate: number | null;
  /** When the next row may be read. */
  freeMs: number;
  /** When it was noted what the pull is a burden to, and why it waited then. */
  notedMs: number;
  waits: string | null;
}

/** Holds pulls to what people want of them between two pages: the rows a second, over all shards of one process, a pause, an end; and lets them wait while they are too much for others. */
export class Pacer {
  readonly #cells: PullCells;
  readonly #clock: Clock;
  readonly #watch: LoadWatch;
  readonly #pulls = new Map<string, Pace>();

  constructor(cells: PullCells, clock: Clock, watch: LoadWatch) {
    this.#cells = cells;
    this.#clock = clock;
    this.#watch = watch;
  }

  /**
   * Waits until so many more rows of a pull may be read; false when it is paused, or has waited long for others, so that its window is better left (`leaves`: whether it can go on where it was then). Errors: UMBUS_PULL_CANCELLED,
   * UMBUS_COORDINATION_*; the signal's reason.
   */
  async pace(pull: string, rows: number, signal: AbortSignal, leaves = true): Promise<boolean> {
    const pace = this.#paceOf(pull);
    const startMs = this.#clock.now();
    let reserved: number | null | undefined;
    let atMs = 0;
    for (;;) {
      signal.throwIfAborted();
      const nowMs = this.#clock.now();
      const { state, rowsPerSecond: rate } = await this.#known(pull, pace, nowMs);
      if (state === 'pause') return false;
      const waits = await this.#waits(pull, pace);
      if (leaves && waits !== null && nowMs - startMs >= MOST_HELD_MS) return false;
      if (reserved !== rate) {
        reserved = rate;
        atMs = reserve(pace, rows, rate, nowMs);
      }
      if (atMs <= nowMs && waits === null) return true;
      const leastMs = waits === null ? 1 : KNOWN_MS;
      await this.#clock.sleep(Math.min(KNOWN_MS, Math.max(leastMs, atMs - nowMs)), signal);
    }
  }

  /** Waits until a window of a pull may be opened; false when it is paused. Errors as {@link pace}. */
  async ready(pull: string, signal: AbortSignal): Promise<boolean> {
    const pace = this.#paceOf(pull);
    for (;;) {
      signal.throwIfAborted();
      pace.readMs = 0;
      const { state } = await this.#known(pull, pace, this.#clock.now());
      if (state === 'pause') return false;
      if ((await this.#waits(pull, pace)) === null) return true;
      await this.#clock.sleep(KNOWN_MS, signal);
    }
  }

  /** Whether people hold a pull to a number of rows a second, as far as was heard. */
  isThrottled(pull: string): boolean {
    return this.#paceOf(pull).control.rowsPerSecond !== null;
  }

  /** Why a pull has to wait for others; null: it need not. */
  async #waits(pull: string, pace: Pace): Promise<string | null> {
    const load = await this.#watch.load();
    const waits = this.#watch.excess(load);
    const atMs = this.#clock.now();
    if (atMs - pace.notedMs >= NOTE_MS || (waits === null) !== (pace.waits === null)) {
      pace.notedMs = atMs;
      pace.waits = waits;
      this.#cells.noteBurden(pull, { ...load, waits, atMs });
    }
    return waits;
  }

  #paceOf(pull: string): Pace {
    let pace = this.#pulls.get(pull);
    if (pace === undefined) {
      pace = { control: FREE, readMs: 0, rate: null, freeMs: 0, notedMs: 0, waits: null };
      if (this.#pulls.size >= MOST_PULLS) this.#pulls.clear();
      this.#pulls.set(pull, pace);
    }
    return pace;
  }

  async #known(pull: string, pace: Pace, nowMs: number): Promise<PullControl> {
    if (nowMs - pace.readMs >= KNOWN_MS) {
      pace.readMs = nowMs;
      pace.control = await this.#cells.control(pull);
    }
    if (pace.control.state === 'cancel') {
      throw new UmbusError('UMBUS_PULL_CANCELLED', 'The pull was cancelled.', { details: { pull } });
    }
    return pace.control;
  }
}

/** When so many rows may be read, which the next ones have to wait for. What was to be waited for at another rate counts no more. */
function reserve(pace: Pace, rows: number, rate: number | null, nowMs: number): number {
  if (pace.rate !== rate) {
    pace.rate = rate;
    pace.freeMs = nowMs;
  }
  const atMs = Math.max(pace.freeMs, nowMs);
  if (rate !== null) pace.freeMs = atMs + (rows / rate) * 1000;
  return atMs;
}

import { isUmbusError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { SourceBusy, SourceLoad } from '../../ports/source-load.ts';

/** How long the source is taken to be as busy as it was. */
const LOOK_MS = 1000;

/** What pulls must leave to others; null: no bound. */
export interface BackOff {
  readonly threadsRunning: number | null;
  readonly replicationLagMs: number | null;
  readonly lineLagMs: number | null;
}

/** How busy all are that a pull is a burden to. */
export interface PullLoad extends SourceBusy {
  /** How long the watermark that is longest on its way through the line has been on it; 0 for none. */
  readonly lineLagMs: number;
}

const UNKNOWN: SourceBusy = { threadsRunning: null, replicationLagMs: null };

/** Knows whether pulls are too much for the source or for the line. */
export class LoadWatch {
  readonly #source: SourceLoad;
  readonly #bounds: BackOff;
  readonly #clock: Clock;
  #looked: { readonly atMs: number; readonly busy: Promise<SourceBusy> } | null = null;
  /** When the watermarks were written that have not come through the line. */
  readonly #underWay = new Set<{ readonly sinceMs: number }>();

  constructor(source: SourceLoad, bounds: BackOff, clock: Clock) {
    this.#source = source;
    this.#bounds = bounds;
    this.#clock = clock;
  }

  /** Counts a watermark as on its way until what is waited for has come. */
  async passing<T>(wait: Promise<T>): Promise<T> {
    const mark = { sinceMs: this.#clock.now() };
    this.#underWay.add(mark);
    try {
      return await wait;
    } finally {
      this.#underWay.delete(mark);
    }
  }

  /** How busy all are now; the source is asked once a second at most, and one that does not answer is not known to be busy. */
  async load(): Promise<PullLoad> {
    const nowMs = this.#clock.now();
    if (this.#looked === null || nowMs - this.#looked.atMs >= LOOK_MS) {
      const busy = this.#source.read().catch(error => {
        // Whoever reads rows meets the same, and says so.
        if (!isUmbusError(error)) throw error;
        return UNKNOWN;
      });
      this.#looked = { atMs: nowMs, busy };
    }
    const oldestMs = Math.min(nowMs, ...[...this.#underWay].map(({ sinceMs }) => sinceMs));
    return { ...(await this.#looked.busy), lineLagMs: nowMs - oldestMs };
  }

  /** What is too much, as a clause; null: nothing. */
  excess({ threadsRunning, replicationLagMs, lineLagMs }: PullLoad): string | null {
    const { threadsRunning: threads, replicationLagMs: replication, lineLagMs: line } = this.#bounds;
    if (threads !== null && threadsRunning !== null && threadsRunning > threads)
      return `${threadsRunning} threads run in the source, and at most ${threads} may`;
    if (replication !== null && replicationLagMs !== null && replicationLagMs > replication)
      return `the source is ${seconds(replicationLagMs)} behind the server that it copies, and at most ${seconds(replication)} are allowed`;
    if (line !== null && lineLagMs > line)
      return `the line is ${seconds(lineLagMs)} late, and at most ${seconds(line)} are allowed`;
    return null;
  }
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}

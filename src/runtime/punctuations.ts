import { scheduleOf } from '../topology/duration.ts';
import type { OpenProcessor } from '../topology/fuse.ts';

/** A punctuation of a processor that is to be called. */
export interface Punctuation {
  readonly open: OpenProcessor;
  readonly fire: (context: OpenProcessor['context'], emit: OpenProcessor['emit']) => void;
}

interface WallPunctuation extends Punctuation {
  readonly everyMs: number;
  nextMs: number;
}

interface StreamPunctuation extends Punctuation {
  readonly everyMs: number;
}

/** The punctuations of a task and when they are due. Stream time is the highest record time so far. */
export class Punctuations {
  readonly commit: readonly Punctuation[];
  readonly #wall: readonly WallPunctuation[];
  readonly #stream: readonly StreamPunctuation[];
  #streamTimeMs: number | null;

  constructor(processors: readonly OpenProcessor[], nowMs: number, streamTimeMs: number | null) {
    const commit: Punctuation[] = [];
    const wall: WallPunctuation[] = [];
    const stream: StreamPunctuation[] = [];
    for (const open of processors) {
      for (const [text, fire] of Object.entries(open.processor.every ?? {})) {
        const schedule = scheduleOf(text);
        if (schedule.kind === 'commit') commit.push({ open, fire });
        else if (schedule.kind === 'wall')
          wall.push({ open, fire, everyMs: schedule.everyMs, nextMs: nowMs + schedule.everyMs });
        else stream.push({ open, fire, everyMs: schedule.everyMs });
      }
    }
    this.commit = commit;
    this.#wall = wall;
    this.#stream = stream;
    this.#streamTimeMs = streamTimeMs;
  }

  get streamTimeMs(): number | null {
    return this.#streamTimeMs;
  }

  get hasStream(): boolean {
    return this.#stream.length > 0;
  }

  /** Whether outputs can come that no record in hand has caused. */
  get emitsOutsideRecords(): boolean {
    return this.#wall.length + this.commit.length > 0;
  }

  get nextWallMs(): number | null {
    let next: number | null = null;
    for (const { nextMs } of this.#wall) next = next === null ? nextMs : Math.min(next, nextMs);
    return next;
  }

  /** Those due at `nowMs`. One that was missed several times is called once. */
  wallDue(nowMs: number): readonly Punctuation[] {
    const due = this.#wall.filter(punctuation => punctuation.nextMs <= nowMs);
    for (const punctuation of due) {
      const missed = Math.floor((nowMs - punctuation.nextMs) / punctuation.everyMs);
      punctuation.nextMs += (missed + 1) * punctuation.everyMs;
    }
    return due;
  }

  /** Moves stream time on to that of a record; gives those whose interval's next multiple it has passed. It depends on the records alone, so a replay fires the same. */
  streamDue(timestampMs: number): readonly Punctuation[] {
    const before = this.#streamTimeMs;
    if (before !== null && timestampMs <= before) return [];
    this.#streamTimeMs = timestampMs;
    if (before === null) return [];
    return this.#stream.filter(
      ({ everyMs }) => Math.floor(timestampMs / everyMs) > Math.floor(before / everyMs),
    );
  }
}

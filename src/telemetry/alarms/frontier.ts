/** A place in the binlog that the source had reached at a moment. */
export interface Milestone {
  readonly atMs: number;
  readonly file: string;
  readonly position: number;
}

/**
 * Until when the extractor is known to have landed all that the source had committed: from places seen at the source before, so that no clock is compared with another, and an idle source
 * makes nobody late.
 */
export interface Frontier {
  /** Everything committed before is landed; null before the first round. */
  readonly untilMs: number | null;
  /** Places not passed yet, oldest first. */
  readonly ahead: readonly Milestone[];
}

export const noFrontier: Frontier = { untilMs: null, ahead: [] };

/** Places that are remembered; when there are more, every other one is forgotten, and the answer gets coarser. */
const AHEAD_MAX = 256;

/** The frontier after one more look. `source`: where its binlog ends now; `landed`: where the extractor stands; null for what is not known. */
export function advance(
  before: Frontier,
  source: { readonly file: string; readonly position: number } | null,
  landed: { readonly file: string; readonly position: number } | null,
  nowMs: number,
): Frontier {
  const newest = before.ahead.at(-1);
  // A source that stands before what it had reached is another one, or was reset: its old places mean nothing any more.
  const reset = source !== null && newest !== undefined && compare(source, newest) < 0;
  const kept = reset ? [] : before.ahead;
  // While the source does not answer, nobody is late: what was ahead counts from now on.
  const seen =
    source === null
      ? kept.slice(-1).map(milestone => ({ ...milestone, atMs: nowMs }))
      : [...kept, { atMs: nowMs, ...placeOf(source) }];
  const ahead = seen.filter(milestone => landed === null || compare(landed, milestone) < 0);
  const passed = seen.length - ahead.length;
  const last = passed === 0 ? null : (seen[passed - 1]?.atMs ?? null);
  const untilMs = last ?? before.untilMs ?? (source === null ? null : nowMs);
  const thinned = ahead.length > AHEAD_MAX ? ahead.filter((_, index) => index % 2 === 0) : ahead;
  return { untilMs, ahead: thinned };
}

function placeOf({ file, position }: { readonly file: string; readonly position: number }) {
  return { file, position };
}

interface Place {
  readonly file: string;
  readonly position: number;
}

/** For how long the source has been further than what is landed, at least; 0 when it is not known to be. */
export function behindMs({ ahead }: Frontier, nowMs: number): number {
  const [first] = ahead;
  return first === undefined ? 0 : Math.max(0, nowMs - first.atMs);
}

/** Below 0 when the first comes first. Files of one server are numbered; of equal length they compare as text. */
function compare(a: Place, b: Place): number {
  if (a.file !== b.file) {
    if (a.file.length !== b.file.length) return a.file.length - b.file.length;
    return a.file < b.file ? -1 : 1;
  }
  return a.position - b.position;
}

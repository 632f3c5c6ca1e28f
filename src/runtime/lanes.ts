import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';

/** A producer task as one input partition sees it, and what of its records has been processed. */
export interface Lane {
  /** 8 characters that stand for the lane in commit metadata. */
  readonly id: string;
  /** Seq of the last record processed; null when none was. Mutable: the task moves it on for each record. */
  watermark: Uint8Array | null;
  /** Header `lane` of what this task makes from the records of this lane. */
  readonly out: Buffer;
}

const NO_LANE = '';

/** A short name of a lane: 48 bits of its SHA-256, in base64url. */
function idOf(lane: string): string {
  return createHash('sha256').update(lane, 'latin1').digest('base64url').slice(0, 8);
}

/**
 * The lanes of one input partition, least recently used first.
 *
 * The header `lane` of an output is `<group>:<input topic>/<partition>`, and for an input that itself has a lane `~` and the input lane's id follows.
 * Without that, the outputs made from two producers' records would share a lane although their seqs interleave,
 * and a reader would drop the lower ones as already seen.
 */
export class Lanes {
  readonly #base: string;
  readonly #byHeader = new Map<string, Lane>();
  readonly #restored: Map<string, Uint8Array>;
  #last: Lane | null = null;
  #lastHeader: Uint8Array | null = null;

  constructor(group: string, topic: string, partition: number, restored: ReadonlyMap<string, Uint8Array>) {
    this.#base = `${group}:${topic}/${partition}`;
    this.#restored = new Map(restored);
  }

  /** The lane with this header; a record without one is in the partition's own lane, which has no watermark: there the offset tells what is new. */
  of(header: Uint8Array | undefined): Lane {
    const last = this.#last;
    const lastHeader = this.#lastHeader;
    if (
      last !== null &&
      (header === undefined ? lastHeader === null : lastHeader !== null && equal(header, lastHeader))
    ) {
      return last;
    }
    const text = header === undefined ? NO_LANE : latin1(header);
    let lane = this.#byHeader.get(text);
    if (lane === undefined) lane = this.#open(text);
    else {
      // Insertion order is the order of use.
      this.#byHeader.delete(text);
      this.#byHeader.set(text, lane);
    }
    this.#last = lane;
    this.#lastHeader = header ?? null;
    return lane;
  }

  #open(text: string): Lane {
    const id = text === NO_LANE ? NO_LANE : idOf(text);
    const watermark = this.#restored.get(id) ?? null;
    this.#restored.delete(id);
    const lane: Lane = {
      id,
      watermark,
      out: Buffer.from(id === NO_LANE ? this.#base : `${this.#base}~${id}`, 'latin1'),
    };
    this.#byHeader.set(text, lane);
    return lane;
  }

  /** Watermarks by lane id, least recently used first: for the commit metadata. */
  watermarks(): (readonly [id: string, seq: Uint8Array])[] {
    const all: (readonly [string, Uint8Array])[] = [...this.#restored];
    for (const lane of this.#byHeader.values()) {
      if (lane.id !== NO_LANE && lane.watermark !== null) all.push([lane.id, lane.watermark]);
    }
    return all;
  }

  /** Drops the watermark of a lane that no longer fits the metadata. */
  forget(id: string): void {
    this.#restored.delete(id);
    for (const [text, lane] of this.#byHeader) {
      if (lane.id === id) this.#byHeader.delete(text);
    }
    this.#last = null;
    this.#lastHeader = null;
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || (a.length === b.length && Buffer.compare(a, b) === 0);
}

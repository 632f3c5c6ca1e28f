import { Buffer } from 'node:buffer';
import { messageOf, UmbusError } from '../core/errors.ts';

/** The most recent input record of a task: outputs of a punctuation follow those of this record. */
export interface Origin {
  readonly lane: string;
  readonly seq: Uint8Array;
  /** Ordinals used so far. */
  readonly ordinal: number;
}

/** What a commit remembers of a task besides offsets. The watermarks are of one input; the rest is the task's and rides with its first input. */
export interface TaskMetadata {
  /** Last processed seq by lane id, least recently used first. */
  readonly watermarks: ReadonlyMap<string, Uint8Array>;
  /** Highest record time seen, in ms; null before the first record. */
  readonly streamTimeMs: number | null;
  /** Next offset to apply, by `<control topic>/<partition>`. */
  readonly controls: ReadonlyMap<string, bigint>;
  /** Input topics that a control record paused. */
  readonly paused: readonly string[];
  readonly origin: Origin | null;
}

/** Before the first commit. */
export const noMetadata: TaskMetadata = {
  watermarks: new Map(),
  streamTimeMs: null,
  controls: new Map(),
  paused: [],
  origin: null,
};

/** Characters that a log stores with an offset. */
export const MAX_METADATA_CHARACTERS = 4000;

interface Encoded {
  readonly v: 1;
  readonly w?: readonly (readonly [string, string])[];
  readonly t?: number;
  readonly c?: Readonly<Record<string, string>>;
  readonly p?: readonly string[];
  readonly o?: readonly [string, string, number];
}

const text = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');

/** Encodes as JSON, without what is empty. */
export function encodeMetadata(metadata: TaskMetadata): string {
  const { watermarks, streamTimeMs, controls, paused, origin } = metadata;
  const encoded: Encoded = {
    v: 1,
    ...(watermarks.size > 0 && { w: [...watermarks].map(([id, seq]) => [id, text(seq)] as const) }),
    ...(streamTimeMs !== null && { t: streamTimeMs }),
    ...(controls.size > 0 && {
      c: Object.fromEntries([...controls].map(([place, offset]) => [place, String(offset)])),
    }),
    ...(paused.length > 0 && { p: paused }),
    ...(origin !== null && { o: [origin.lane, text(origin.seq), origin.ordinal] as const }),
  };
  return JSON.stringify(encoded);
}

/** Reads back {@link encodeMetadata}; '' is {@link noMetadata}. Throws UMBUS_TOPOLOGY_STORE with `place` for text of another form. */
export function decodeMetadata(encoded: string, place: string): TaskMetadata {
  if (encoded === '') return noMetadata;
  try {
    // Our own commit wrote it; a foreign one fails on the version or on the shapes below.
    const parsed = JSON.parse(encoded) as Encoded;
    if (parsed.v !== 1) throw new Error(`version ${String(parsed.v)} is not known`);
    return {
      watermarks: new Map((parsed.w ?? []).map(([id, seq]) => [id, Buffer.from(seq, 'base64url')])),
      streamTimeMs: parsed.t ?? null,
      controls: new Map(Object.entries(parsed.c ?? {}).map(([name, offset]) => [name, BigInt(offset)])),
      paused: parsed.p ?? [],
      origin:
        parsed.o === undefined
          ? null
          : { lane: parsed.o[0], seq: Buffer.from(parsed.o[1], 'base64url'), ordinal: parsed.o[2] },
    };
  } catch (cause) {
    throw new UmbusError(
      'UMBUS_TOPOLOGY_STORE',
      `The committed metadata of ${place} was not written by this topology: ${messageOf(cause)}.`,
      { cause },
    );
  }
}

import { fileNumberOf } from '../binlog/rotate.ts';
import type { KnownChange } from '../columns/known.ts';
import type { ResumePoint, ServerIdentity } from '../ports/change-source.ts';
import type { LookedUp } from './extract-lookup.ts';

/** A dump has begun; what follows are its bytes from the first on. */
export interface SourceOpened {
  readonly kind: 'open';
  readonly server: ServerIdentity;
  /** Where the server was asked to begin, and the GTID set executed before that. */
  readonly from: ResumePoint;
  /** From 1; grows when the source server changes. */
  readonly epoch: number;
  /** Events of this file before this offset are in the topic already. Null when there are none. */
  readonly skipBefore: { readonly file: string; readonly position: number } | null;
  /** What is known of columns there; null for nothing. */
  readonly columns: ColumnsOpened | null;
}

/** Offset in a file before which events are in the topic already. */
export function skipBound(skip: SourceOpened['skipBefore'], fileNumber: number): number {
  if (skip === null) return 0;
  const last = fileNumberOf(skip.file);
  if (fileNumber === last) return skip.position;
  return fileNumber < last ? Number.POSITIVE_INFINITY : 0;
}

/** What is known of columns where a dump goes on. */
export interface ColumnsOpened {
  /** What the line knew when it landed its tail. */
  readonly kept: readonly KnownChange[];
  /** What the server was asked since; null when it was not. */
  readonly looked: LookedUp | null;
  /** Whether table maps name their columns, as far as the server says. */
  readonly named: boolean;
}

/** The next bytes of the dump, cut anywhere. Valid until the processor's `on` returns. */
export interface SourceBytes {
  readonly kind: 'bytes';
  readonly bytes: Uint8Array;
}

/** The connection has ended or is cut: nothing more comes before another `open`. */
export interface SourceEnded {
  readonly kind: 'ended';
}

/** What the extractor's external source hands to its processor. */
export type SourceSignal = SourceOpened | SourceBytes | SourceEnded;

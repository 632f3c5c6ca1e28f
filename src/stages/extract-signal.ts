import type { ResumePoint, ServerIdentity } from '../ports/change-source.ts';

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
}

/** The next bytes of the dump, cut anywhere. Valid until the processor's `on` returns. */
export interface SourceBytes {
  readonly kind: 'bytes';
  readonly bytes: Uint8Array;
}

/** What the extractor's external source hands to its processor. */
export type SourceSignal = SourceOpened | SourceBytes;

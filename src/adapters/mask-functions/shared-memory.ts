/** What the two sides of worker-functions.ts share. */
export interface SharedMemory {
  /** Modules count from here. */
  readonly directory: string;
  /** The state, and how many bytes of `data` count. */
  readonly control: Int32Array<SharedArrayBuffer>;
  /** A question or its answer as JSON in UTF-8. Grows. */
  readonly data: SharedArrayBuffer;
}

/** Places in {@link SharedMemory.control}. */
export const STATE_AT = 0;
export const LENGTH_AT = 1;

/** States: at first 0; a question waits; its answer waits. */
export const ASKED = 1;
export const ANSWERED = 2;

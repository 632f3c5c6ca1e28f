/** What the error table says of a code. */
export interface ErrorRow {
  /** What happened. */
  readonly text: string;
  /** What an operator does about it. */
  readonly remedy: string;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
}

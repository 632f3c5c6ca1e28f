/** How busy a source is. */
export interface SourceBusy {
  /** Threads that run in it, the one that asks among them; null where it does not say. */
  readonly threadsRunning: number | null;
  /** How far it is behind the server that it copies; null where it copies none or does not now, or the account may not see it. */
  readonly replicationLagMs: number | null;
}

/** Says how busy a source is. */
export interface SourceLoad extends AsyncDisposable {
  /** Errors: UMBUS_SOURCE_*. */
  read(): Promise<SourceBusy>;
}

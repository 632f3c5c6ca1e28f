/**
 * Configuration that can change while topologies run: named paths with bytes. Adapters keep it in memory, in files, or in a
 * coordination service.
 */
export interface ConfigCells {
  /**
   * Calls `changed` with the current bytes before the promise resolves (null when the path has none), then at every change, newest last, until
   * the signal aborts. `changed` does not throw.
   */
  watch(path: string, changed: (bytes: Uint8Array | null) => void, signal: AbortSignal): Promise<void>;
}

import type { Log } from '../ports/log.ts';

/** How an embedded log is opened for reading. */
export interface ReaderOptions {
  /** `log.embedded.maxBytes` of the line, where it is above the default of 64 GB. Address space, not memory. */
  readonly maxBytes?: number;
}

const DEFAULT_MAX_BYTES = 64 * 1024 ** 3;

/**
 * Opens the embedded log in `dir` for reading, while another process, or none, runs the line that owns it. Dispose of it when done.
 * The storage engine is loaded by this call only: programs that read from elsewhere do not need it.
 * Errors: UMBUS_LOG_DIRECTORY when there is no log in it, and others of the log (UMBUS_LOG_*).
 */
export async function openReader(dir: string, options: ReaderOptions = {}): Promise<Log> {
  const [{ openEmbeddedLog }, { systemClock }] = await Promise.all([
    import('../adapters/embedded/index.ts'),
    import('../adapters/system-clock.ts'),
  ]);
  const { maxBytes = DEFAULT_MAX_BYTES } = options;
  return openEmbeddedLog({ dir, mode: 'reader', maxBytes, clock: systemClock });
}

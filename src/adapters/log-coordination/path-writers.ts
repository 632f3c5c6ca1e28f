import type { Log, Writer } from '../../ports/log.ts';

/** Writers that are kept open at most. */
const KEPT_MAX = 16;

/** Fenced writers by id, the last used of them kept open. */
export class PathWriters {
  readonly #log: Log;
  /** The least recently used first. */
  readonly #open = new Map<string, Writer>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** The writer that is open, or null. */
  kept(id: string): Writer | null {
    const writer = this.#open.get(id);
    if (writer === undefined) return null;
    this.#open.delete(id);
    this.#open.set(id, writer);
    return writer;
  }

  /** A new writer; from now on all older ones of this id are refused. */
  async open(id: string): Promise<Writer> {
    const writer = await this.#log.openWriter(id);
    await this.drop(id);
    this.#open.set(id, writer);
    for (const [oldest] of this.#open) {
      if (this.#open.size <= KEPT_MAX) break;
      await this.drop(oldest);
    }
    return writer;
  }

  /** Closes the writer that is open. Never throws. */
  async drop(id: string): Promise<void> {
    const writer = this.#open.get(id);
    this.#open.delete(id);
    try {
      await writer?.[Symbol.asyncDispose]();
    } catch {
      // What it could not send is found missing by whoever sent it.
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.keys()].map(id => this.drop(id)));
  }
}

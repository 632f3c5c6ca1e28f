import { Buffer } from 'node:buffer';
import { setTimeout as delay } from 'node:timers/promises';
import { CellCoordination } from '../../src/adapters/cell-coordination/cell-coordination.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { CellChange, Coordination, Lease } from '../../src/ports/coordination.ts';

/** Processes that share one coordination, and what the suite may do to them. */
export interface CoordinationFixture extends AsyncDisposable {
  /** Another process. */
  open(): Promise<Coordination>;
  /** The process dies: it gives nothing back. */
  crash(process: Coordination): Promise<void>;
  /** The process cannot reach the service until it is healed; nobody notices at once. Absent where nothing lies between them. */
  readonly isolate?: (process: Coordination) => Promise<void>;
  /** Ends `isolate`. */
  readonly heal?: (process: Coordination) => Promise<void>;
  /** Cuts the connections of all, which may connect anew at once. Absent where there are none. */
  readonly disrupt?: () => Promise<void>;
}

/** Opens a fresh world. */
export type OpenCoordination = () => Promise<CoordinationFixture>;

/** What the suite needs to know. */
export interface CoordinationTraits {
  /** Time to live that leases are taken with, in the milliseconds of the adapter's clock. */
  readonly ttlMs: number;
}

/** Bytes of a text. */
export function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}

/** Text of bytes; null stays. */
export function text(value: Uint8Array | null | undefined): string | null {
  return value === null || value === undefined ? null : Buffer.from(value).toString();
}

/** Takes a lease for as long as it takes. */
export function take(process: Coordination, name: string, ttlMs: number, holder = 'suite'): Promise<Lease> {
  return process.lease(name, { holder, ttlMs, signal: new AbortController().signal });
}

/** Gathers what a watch tells until it is disposed. */
export class Watching implements AsyncDisposable {
  readonly told: CellChange[] = [];
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;

  constructor(process: Coordination, prefix: string, pauseMs = 0) {
    this.#ended = (async () => {
      for await (const change of process.watch(prefix, this.#stop.signal)) {
        this.told.push(change);
        // A reader that is slower than the changes.
        if (pauseMs > 0) await delay(pauseMs);
      }
    })();
    this.#ended.catch(() => {});
  }

  /** `path=value` of each. */
  get lines(): string[] {
    return this.told.map(({ path, value }) => `${path}=${text(value) ?? '-'}`);
  }

  /** Resolves when the watch has ended; rejects with its error. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }
}

/** Real time that runs so many times as fast, so that what lives for seconds can be outlived in a test. */
export function hurried(times: number): Clock {
  const startMs = Date.now();
  return {
    now: () => startMs + (performance.now() - base) * times,
    async sleep(ms, signal) {
      if (ms <= 0 || signal?.aborted === true) return;
      await delay(ms / times, undefined, signal === undefined ? {} : { signal }).catch(() => {});
    },
  };
}

const base = performance.now();

/** Lets a process die that is one over cells. */
export async function abandon(process: Coordination): Promise<void> {
  if (!(process instanceof CellCoordination)) throw new Error('It is not made of cells.');
  await process.abandon();
}

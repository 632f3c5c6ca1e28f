import { Buffer } from 'node:buffer';
import { Worker } from 'node:worker_threads';
import type { FunctionResult, MaskFunctions } from '../../masking/mask-spec.ts';
import type { UmsValue } from '../../ums/types.ts';
import { ASKED, LENGTH_AT, type SharedMemory, STATE_AT } from './shared-memory.ts';

const DATA_BYTES = 256 * 1024;
const DATA_BYTES_MAX = 128 * 1024 * 1024;
/** Starting the thread and loading the module is not counted to a value, but has a bound as well. */
const LOAD_TIMEOUT_MS = 20_000;
const HEAP_MEGABYTES_MAX = 256;

/** {@link MaskFunctions} that hold a thread. */
export interface OpenMaskFunctions extends MaskFunctions, AsyncDisposable {}

/**
 * Masks of the user's from modules: each id is `<module>#<export>`, and modules count from `directory`. They run in a thread of their own, one call after the other, while the caller
 * waits: a call that takes longer than `timeoutMs` is cut off with its thread, and the next one begins in a new thread. Starts with the first call.
 */
export function openMaskFunctions(options: {
  readonly directory: string;
  readonly timeoutMs: number;
}): OpenMaskFunctions {
  return new WorkerFunctions(options.directory, options.timeoutMs);
}

interface Thread {
  readonly worker: Worker;
  readonly memory: SharedMemory;
  /** Ids of functions that can be called. */
  readonly loaded: Set<string>;
}

class WorkerFunctions implements OpenMaskFunctions {
  readonly #directory: string;
  readonly #timeoutMs: number;
  #thread: Thread | null = null;
  /** Threads that were cut off, until they have ended. */
  readonly #ending = new Set<Promise<unknown>>();

  constructor(directory: string, timeoutMs: number) {
    this.#directory = directory;
    this.#timeoutMs = timeoutMs;
  }

  call(id: string, value: UmsValue, row: Readonly<Record<string, UmsValue>>): FunctionResult {
    const problem = this.problemOf(id);
    if (problem !== null) return { failed: problem };
    return this.#ask({ id, args: [value, row] }, this.#timeoutMs);
  }

  problemOf(id: string): string | null {
    if (this.#thread?.loaded.has(id) === true) return null;
    const result = this.#ask({ id }, LOAD_TIMEOUT_MS);
    if ('failed' in result) return result.failed;
    this.#thread?.loaded.add(id);
    return null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cutOff();
    await Promise.all(this.#ending);
  }

  #ask(question: unknown, timeoutMs: number): FunctionResult {
    const bytes = Buffer.from(JSON.stringify(question), 'utf8');
    if (bytes.length > DATA_BYTES_MAX) return { failed: 'cannot be given a row of this size' };
    this.#thread ??= this.#start();
    const { control, data } = this.#thread.memory;
    if (bytes.length > data.byteLength) data.grow(bytes.length);
    new Uint8Array(data).set(bytes);
    Atomics.store(control, LENGTH_AT, bytes.length);
    Atomics.store(control, STATE_AT, ASKED);
    Atomics.notify(control, STATE_AT);
    if (Atomics.wait(control, STATE_AT, ASKED, timeoutMs) === 'timed-out') {
      this.#cutOff();
      return { failed: `took longer than ${timeoutMs} ms` };
    }
    const text = Buffer.from(new Uint8Array(data, 0, Atomics.load(control, LENGTH_AT))).toString('utf8');
    // Written by our side of the thread.
    return JSON.parse(text) as FunctionResult;
  }

  #start(): Thread {
    const memory: SharedMemory = {
      directory: this.#directory,
      control: new Int32Array(new SharedArrayBuffer(8)),
      data: new SharedArrayBuffer(DATA_BYTES, { maxByteLength: DATA_BYTES_MAX }),
    };
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./function-worker.${extension}`, import.meta.url), {
      workerData: memory,
      // What a function prints may be the value.
      stdout: true,
      stderr: true,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MEGABYTES_MAX },
    });
    // Its errors may hold the value as well. The caller finds out by the time that runs out.
    worker.on('error', () => {});
    worker.unref();
    return { worker, memory, loaded: new Set<string>() };
  }

  #cutOff(): void {
    const thread = this.#thread;
    if (thread === null) return;
    this.#thread = null;
    const ended = thread.worker.terminate().catch(() => {});
    this.#ending.add(ended);
    void ended.then(() => this.#ending.delete(ended));
  }
}

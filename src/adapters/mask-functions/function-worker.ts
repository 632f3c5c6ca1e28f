/**
 * Runs masks that a user wrote, in a thread of its own: between two calls it blocks, so nothing that a function leaves behind, such as a timer or a promise, ever runs, and what
 * it prints goes nowhere. The other side is worker-functions.ts, which says how the shared memory is used.
 */
import { Buffer } from 'node:buffer';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { workerData } from 'node:worker_threads';
import { ANSWERED, ASKED, LENGTH_AT, type SharedMemory, STATE_AT } from './shared-memory.ts';

/** A text that is longer is no masked value. */
const TEXT_MAX = 8 * 1024 * 1024;

type Answer = { readonly value: unknown } | { readonly failed: string };

interface Question {
  readonly id: string;
  /** Absent: only load the function. */
  readonly args?: readonly [value: unknown, row: unknown];
}

// What worker-functions.ts gave this thread.
const { directory, control, data } = workerData as SharedMemory;
const functions = new Map<string, ((value: unknown, row: unknown) => unknown) | string>();

silence();
await serve();

function silence(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.write = () => true;
  }
}

async function serve(): Promise<never> {
  for (;;) {
    while (Atomics.load(control, STATE_AT) !== ASKED) {
      Atomics.wait(control, STATE_AT, Atomics.load(control, STATE_AT) === ANSWERED ? ANSWERED : 0);
    }
    const question = JSON.parse(
      Buffer.from(new Uint8Array(data, 0, Atomics.load(control, LENGTH_AT))).toString('utf8'),
    ) as Question;
    const found = functions.get(question.id) ?? (await load(question.id));
    answer(found, question);
  }
}

function answer(found: ((value: unknown, row: unknown) => unknown) | string, { args }: Question): void {
  let result: Answer;
  if (typeof found === 'string') result = { failed: found };
  else if (args === undefined) result = { value: null };
  else result = called(found, args);
  const bytes = Buffer.from(JSON.stringify(result), 'utf8');
  if (bytes.length > data.byteLength) data.grow(bytes.length);
  new Uint8Array(data).set(bytes);
  Atomics.store(control, LENGTH_AT, bytes.length);
  Atomics.store(control, STATE_AT, ANSWERED);
  Atomics.notify(control, STATE_AT);
}

function called(
  call: (value: unknown, row: unknown) => unknown,
  [value, row]: readonly [unknown, unknown],
): Answer {
  let result: unknown;
  try {
    result = call(value, row);
    if (result instanceof Promise) {
      result.catch(() => {});
      return { failed: 'gave a promise; it must give the value itself' };
    }
  } catch {
    // What was thrown may hold the value.
    return { failed: 'threw an error' };
  }
  if (result === undefined) return { failed: 'gave nothing' };
  if (typeof result === 'string') {
    return result.length > TEXT_MAX ? { failed: 'gave a value that is too large' } : { value: result };
  }
  if (typeof result === 'number')
    return Number.isFinite(result) ? { value: result } : { failed: 'gave no number' };
  if (typeof result === 'boolean' || result === null) return { value: result };
  return { failed: 'gave something other than a text, a number, true, false or null' };
}

/** The function, or why there is none. */
async function load(id: string): Promise<((value: unknown, row: unknown) => unknown) | string> {
  const hash = id.lastIndexOf('#');
  const found = await imported(resolve(directory, id.slice(0, hash)), id.slice(hash + 1));
  functions.set(id, found);
  return found;
}

async function imported(
  file: string,
  name: string,
): Promise<((value: unknown, row: unknown) => unknown) | string> {
  try {
    const exported: Readonly<Record<string, unknown>> = await import(pathToFileURL(file).href);
    const found = exported[name];
    // Its parameters are the user's promise.
    return typeof found === 'function'
      ? (found as (value: unknown, row: unknown) => unknown)
      : 'is not exported';
  } catch (error) {
    return `cannot be loaded (${error instanceof Error ? error.name : 'its module threw'})`;
  }
}

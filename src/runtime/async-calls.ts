import { isUmbusError } from '../core/errors.ts';
import { Flow, type Step } from '../topology/flow.ts';
import type { Erased, Stage } from '../topology/graph.ts';
import type { OnError } from '../topology/types.ts';
import { backoffBounds, backoffMs } from './backoff.ts';
import { policyOf } from './error-policy.ts';
import type { InputPlace } from './input-place.ts';
import type { TaskEnvironment } from './task-environment.ts';

type AsyncStage = Extract<Stage, { kind: 'mapAsync' }>;

interface Call {
  readonly flow: Flow;
  readonly place: InputPlace;
  readonly next: Step;
}

/** What the calls need of their task. */
export interface AsyncHost {
  resumeAt(place: InputPlace, from: Flow, value: Erased, next: Step): void;
  dropAt(place: InputPlace, stage: string, onError: OnError, error: unknown): void;
}

/**
 * The calls of a task's `mapAsync` stages. They gather while a batch runs and are made in `drain`, which ends when the last is done, so no
 * call outlives its batch.
 */
export class AsyncCalls {
  readonly #environment: TaskEnvironment;
  readonly #host: AsyncHost;
  readonly #waiting = new Map<number, Call[]>();

  constructor(environment: TaskEnvironment, host: AsyncHost) {
    this.#environment = environment;
    this.#host = host;
  }

  get waiting(): boolean {
    return this.#waiting.size > 0;
  }

  /** Takes a copy of the flow: the task's own is reused. */
  add(stage: number, flow: Flow, place: InputPlace, next: Step): void {
    const copy = new Flow();
    Object.assign(copy, flow);
    const calls = this.#waiting.get(stage);
    const call = { flow: copy, place, next };
    if (calls === undefined) this.#waiting.set(stage, [call]);
    else calls.push(call);
  }

  /** Makes all calls, and those that their results cause in later stages. Rejects with the failure that stops the task. */
  async drain(): Promise<void> {
    for (;;) {
      const [entry] = this.#waiting;
      if (entry === undefined) return;
      const [index, calls] = entry;
      this.#waiting.delete(index);
      const stage = this.#environment.graph.stages[index];
      if (stage?.kind === 'mapAsync') await this.#runStage(stage, calls);
    }
  }

  async #runStage(stage: AsyncStage, calls: readonly Call[]): Promise<void> {
    const { inFlight, order } = stage.options;
    const lanes = order === 'key' ? byKey(calls) : calls.map(call => [call]);
    const results = new Array<{ readonly value: Erased } | null | undefined>(calls.length);
    const indexOf = order === 'partition' ? new Map(calls.map((call, index) => [call, index])) : null;
    let started = 0;
    let released = 0;
    const deliver = (call: Call, result: { readonly value: Erased } | null): void => {
      if (indexOf === null) {
        if (result !== null) this.#host.resumeAt(call.place, call.flow, result.value, call.next);
        return;
      }
      results[indexOf.get(call) ?? 0] = result;
      for (let ready = results[released]; ready !== undefined; ready = results[released]) {
        const head = calls[released];
        released += 1;
        if (ready !== null && head !== undefined)
          this.#host.resumeAt(head.place, head.flow, ready.value, head.next);
      }
    };
    const worker = async (): Promise<void> => {
      for (let lane = lanes[started]; lane !== undefined; lane = lanes[started]) {
        started += 1;
        for (const call of lane) deliver(call, await this.#call(stage, call));
      }
    };
    await Promise.all(Array.from({ length: Math.min(inFlight, lanes.length) }, worker));
  }

  /** One call with the policy `onError.process`; null when the record was dropped. */
  async #call(stage: AsyncStage, call: Call): Promise<{ readonly value: Erased } | null> {
    const { clock, random, signal, leaving, graph } = this.#environment;
    const onError = graph.onError.process;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return { value: await stage.f(call.flow.value, signal, leaving()) };
      } catch (error) {
        signal.throwIfAborted();
        if (attempt > policyOf(onError).retries || isUmbusError(error, 'UMBUS_INTERNAL')) {
          this.#host.dropAt(call.place, stage.name, onError, error);
          return null;
        }
        await clock.sleep(backoffMs(attempt, { ...backoffBounds, random }), signal);
        signal.throwIfAborted();
      }
    }
  }
}

/** Calls by key, each in input order. Keys are told apart as a Map does, bytes and other objects by their JSON. */
function byKey(calls: readonly Call[]): readonly (readonly Call[])[] {
  const groups = new Map<unknown, Call[]>();
  for (const call of calls) {
    const { key } = call.flow;
    const id = typeof key === 'object' && key !== null ? JSON.stringify(key) : key;
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [call]);
    else group.push(call);
  }
  return [...groups.values()];
}

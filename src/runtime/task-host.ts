import { Buffer } from 'node:buffer';
import { assert } from '../core/assert.ts';
import { isUmbusError, UmbusError } from '../core/errors.ts';
import type { Headers } from '../ports/log.ts';
import { dropped, type Flow, type StageHost, type Step } from '../topology/flow.ts';
import type { OpenProcessor } from '../topology/fuse.ts';
import type { Erased, ErasedTopic, Stage } from '../topology/graph.ts';
import type { OnError } from '../topology/types.ts';
import { AsyncCalls } from './async-calls.ts';
import { codeOf, deadHeaders, safeMessageOf } from './dead-letter.ts';
import { policyOf } from './error-policy.ts';
import type { RecordPlace } from './events.ts';
import type { InputPlace } from './input-place.ts';
import { LANE_HEADER, Outputs, SEQ_HEADER, seqWith } from './outputs.ts';
import { type TaskEnvironment, taskName } from './task-environment.ts';
import type { TaskStore } from './task-store.ts';

const noHeaders: Headers = Object.freeze({});
/** Ordinals that one call of an asynchronous stage may use. */
const CALL_ORDINALS = 0x1_0000;

/** Code of an error that has none, by where it was thrown. */
export type PlaceCode = 'UMBUS_TOPOLOGY_DECODE' | 'UMBUS_TOPOLOGY_PROCESS';

/**
 * What the fused stages of a task call: outputs with their seqs, error policies, parking, asynchronous calls. Once it has failed, the
 * failure is thrown again by everything, so that a processor that catches errors of `emit` cannot lose it.
 */
export class TaskHost implements StageHost {
  readonly partition: number;
  readonly name: string;
  readonly outputs: Outputs;
  readonly calls: AsyncCalls;
  /** The record in hand. */
  place: InputPlace;
  readonly #environment: TaskEnvironment;
  readonly #flow: Flow;
  readonly #stores: ReadonlyMap<string, TaskStore>;
  readonly #storeList: readonly TaskStore[];
  #failure: unknown = null;

  constructor(
    environment: TaskEnvironment,
    partition: number,
    flow: Flow,
    stores: ReadonlyMap<string, TaskStore>,
    place: InputPlace,
  ) {
    this.partition = partition;
    this.name = taskName(environment, partition);
    this.outputs = new Outputs(environment.knownTopics);
    this.calls = new AsyncCalls(environment, this);
    this.place = place;
    this.#environment = environment;
    this.#flow = flow;
    this.#stores = stores;
    this.#storeList = [...stores.values()];
  }

  /** Whether a store has changes for the next commit. */
  get storesChanged(): boolean {
    return this.#storeList.some(store => store.changed);
  }

  /** Throws the failure, if there is one. */
  throwIfFailed(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  failed(stage: string, place: 'process' | 'produce', error: unknown, retry: () => Erased): Erased {
    this.throwIfFailed();
    const onError = this.#environment.graph.onError[place];
    let last = error;
    for (let attempt = 0; attempt < policyOf(onError).retries; attempt += 1) {
      try {
        return retry();
      } catch (again) {
        this.throwIfFailed();
        last = again;
      }
    }
    this.drop(stage, onError, last, 'UMBUS_TOPOLOGY_PROCESS');
    return dropped;
  }

  filtered(): void {
    this.#environment.counts.filtered += 1;
  }

  begin(): number {
    for (const store of this.#storeList) store.begin();
    return this.outputs.length;
  }

  undo(stage: string, outputsBefore: number): void {
    this.throwIfFailed();
    if (this.outputs.length !== outputsBefore) {
      const problem = `The stage '${stage}' of ${this.name} emitted before it threw, so its record can be neither dropped nor tried again.`;
      this.#failure = new UmbusError('UMBUS_INTERNAL', problem);
      throw this.#failure;
    }
    for (const store of this.#storeList) store.undo();
  }

  output(
    topic: ErasedTopic,
    partition: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    flow: Flow,
  ): void {
    const { timestampMs, headers } = flow;
    this.outputs.push(topic, partition, key, value, timestampMs, headers, this.#nextSeq(), this.place.lane);
  }

  #nextSeq(): Buffer {
    const { place } = this;
    assert(place.ordinal < place.ordinalEnd, `The task ${this.name} makes too many outputs of one record.`);
    const seq = seqWith(place.seq, place.ordinal);
    place.ordinal += 1;
    return seq;
  }

  defer(stage: number, flow: Flow, next: Step): void {
    const { place } = this;
    // The call gets ordinals of its own, so that the seqs of its outputs do not depend on when it ends.
    const ordinal = (Math.floor(place.ordinal / CALL_ORDINALS) + 1) * CALL_ORDINALS;
    assert(
      ordinal + CALL_ORDINALS < place.ordinalEnd,
      `The task ${this.name} makes too many calls for one record.`,
    );
    place.ordinal = ordinal + CALL_ORDINALS;
    this.calls.add(stage, flow, { ...place, ordinal, ordinalEnd: ordinal + CALL_ORDINALS }, next);
  }

  /** Goes on after an asynchronous call, as if its record were being processed now. */
  resumeAt(place: InputPlace, from: Flow, value: Erased, next: Step): void {
    const own = this.place;
    this.place = place;
    const flow = this.#flow;
    Object.assign(flow, from);
    flow.value = value;
    next(flow);
    flow.partition = -1;
    this.place = own;
    this.throwIfFailed();
  }

  /** Drops the record of `place` as the policy says. */
  dropAt(place: InputPlace, stage: string, onError: OnError, error: unknown): void {
    const own = this.place;
    this.place = place;
    this.drop(stage, onError, error, 'UMBUS_TOPOLOGY_PROCESS');
    this.place = own;
  }

  /** Applies the end of a policy to the record in hand. Faults of umbus itself always stop the task. */
  drop(stage: string, onError: OnError, error: unknown, code: PlaceCode): void {
    const { outcome } = policyOf(onError);
    const { record } = this.place;
    if (outcome === 'fail' || record === null || isUmbusError(error, 'UMBUS_INTERNAL')) {
      this.fail(stage, error, code);
    }
    if (outcome === 'dead-letter') {
      this.#park(stage, record.key, record.value, error, code);
      return;
    }
    const { counts, events } = this.#environment;
    counts.skipped += 1;
    const message = safeMessageOf(error);
    events.skipped?.({ ...this.#recordPlace(stage), code: codeOf(error, code), message });
  }

  /** Ends the task with an error that says where. */
  fail(stage: string, cause: unknown, code: PlaceCode): never {
    const { topic, partition, offset } = this.#recordPlace(stage);
    const where = topic === '' ? 'in a punctuation' : `at ${topic}/${partition} offset ${offset}`;
    this.#failure ??= new UmbusError(
      codeOf(cause, code),
      `Stage '${stage}' of task ${this.name} failed ${where}: ${safeMessageOf(cause)}`,
      { cause, details: { task: this.name, stage, topic, partition, offset } },
    );
    throw this.#failure;
  }

  #recordPlace(stage: string): RecordPlace {
    const { topic, partition, offset } = this.place;
    return { topology: this.#environment.graph.name, task: this.name, stage, topic, partition, offset };
  }

  #park(
    stage: string,
    key: Uint8Array | null,
    value: Uint8Array | null,
    error: unknown,
    otherwise: PlaceCode,
  ): void {
    const { graph, clock, counts, events } = this.#environment;
    if (graph.deadTopic === null) {
      const problem = `Topology '${graph.name}' parks a record, but names no deadLetter topic.`;
      this.fail(stage, new UmbusError('UMBUS_TOPOLOGY_INVALID', problem), otherwise);
    }
    const place = this.#recordPlace(stage);
    const code = codeOf(error, otherwise);
    const { record, lane } = this.place;
    const nowMs = clock.now();
    const headers = deadHeaders(record?.headers ?? noHeaders, place, error, code, nowMs);
    this.outputs.add({
      topic: graph.deadTopic,
      partition: 0,
      key,
      value,
      timestampMs: record?.timestampMs ?? nowMs,
      headers: { ...headers, [SEQ_HEADER]: this.#nextSeq(), [LANE_HEADER]: lane },
    });
    counts.parked += 1;
    const name = key === null ? '' : Buffer.from(key).toString('utf8');
    events.parked?.({ ...place, key: name, code, message: safeMessageOf(error) });
  }

  /** The context of a `process` stage. */
  openContext(stage: Extract<Stage, { kind: 'process' }>): OpenProcessor['context'] {
    const stores: Record<string, TaskStore> = {};
    for (const [label, def] of Object.entries(stage.stores)) {
      const store = this.#stores.get(def.name);
      assert(store !== undefined, `The store '${def.name}' was not restored.`);
      stores[label] = store;
    }
    return {
      stores,
      task: this.name,
      partition: this.partition,
      now: () => this.#environment.clock.now(),
      park: (key, value, error) =>
        this.#park(stage.name, Buffer.from(key, 'utf8'), value, error, 'UMBUS_TOPOLOGY_PROCESS'),
    };
  }
}

import { Buffer } from 'node:buffer';
import { isUmbusError, UmbusError } from '../core/errors.ts';
import type { Headers } from '../ports/log.ts';
import { Flow, type StageHost, type Step } from '../topology/flow.ts';
import { fuse, type OpenProcessor } from '../topology/fuse.ts';
import type { Erased, ErasedTopic, Stage } from '../topology/graph.ts';
import { noBytes } from '../topology/serdes.ts';
import { codeOf, deadHeaders, safeMessageOf } from './dead-letter.ts';
import { LANE_HEADER, Outputs, SEQ_HEADER, seqWith } from './outputs.ts';
import { Punctuations } from './punctuations.ts';
import { type TaskEnvironment, taskName } from './task-environment.ts';

const noHeaders: Headers = Object.freeze({});

/**
 * The stages after an external source, from one opening of it to the next. What the source emits carries its own seq; without one, values are
 * numbered on from the tail. Errors are never dropped by policy here: the source is read again from the tail instead.
 */
export class ExternalTask implements StageHost {
  readonly partition = 0;
  readonly name: string;
  readonly outputs: Outputs;
  readonly #environment: TaskEnvironment;
  readonly #flow = new Flow();
  readonly #step: Step;
  readonly #punctuations: Punctuations;
  readonly #lane: Buffer;
  /** Seq of the last output, and how many outputs it has. */
  #seq: Uint8Array;
  #ordinal = 0;
  #records = 0;
  #failure: { readonly error: unknown } | null = null;
  /** Seq that the last output was given by its emit: of several outputs of one emit, those after the first add an ordinal. */
  #given: Uint8Array | null = null;

  constructor(
    environment: TaskEnvironment,
    stage: Extract<Stage, { kind: 'external' }>,
    tailSeq: Uint8Array | null,
  ) {
    const { graph, group, groupName, knownTopics, clock } = environment;
    this.#environment = environment;
    this.name = taskName(environment, 0);
    this.outputs = new Outputs(knownTopics);
    this.#lane = Buffer.from(`${groupName}:${stage.name}/0`, 'latin1');
    this.#seq = tailSeq ?? noBytes;
    const fused = fuse(graph, group, this, this.#flow, process => this.#openContext(process));
    this.#step = fused.heads.get('')?.step ?? (() => {});
    this.#punctuations = new Punctuations(fused.processors, clock.now(), null);
  }

  /** Seq of the last output; the tail's before the first. */
  get seq(): Uint8Array {
    return this.#seq;
  }

  get nextWallMs(): number | null {
    return this.#punctuations.nextWallMs;
  }

  /** Values processed since the last call of this. */
  takeRecords(): number {
    const records = this.#records;
    this.#records = 0;
    return records;
  }

  /** Processes a value. Throws what a stage throws; what was emitted before stays in `outputs`. */
  process(value: Erased): void {
    this.#begin();
    this.#flow.value = value;
    this.#records += 1;
    this.#environment.counts.records += 1;
    this.#step(this.#flow);
    if (this.#failure !== null) throw this.#failure.error;
  }

  /** Runs the commit punctuation. */
  flush(): void {
    this.#fire(this.#punctuations.commit);
  }

  /** Fires the wall-clock punctuations that are due. */
  punctuateWall(nowMs: number): void {
    this.#fire(this.#punctuations.wallDue(nowMs));
  }

  #fire(punctuations: Punctuations['commit']): void {
    for (const { open, fire } of punctuations) {
      this.#begin();
      this.#flow.value = null;
      try {
        fire(open.context, open.emit);
      } catch (error) {
        this.failed(open.stage, 'process', error);
      }
      if (this.#failure !== null) throw this.#failure.error;
    }
  }

  #begin(): void {
    const flow = this.#flow;
    flow.key = null;
    flow.timestampMs = this.#environment.clock.now();
    flow.headers = noHeaders;
    flow.seq = this.#seq;
    this.#given = null;
  }

  // StageHost

  failed(stage: string, _place: 'process' | 'produce', error: unknown): never {
    // Kept, so that a processor that catches errors of `emit` cannot lose it.
    this.#failure ??= { error: this.#coded(stage, error) };
    throw this.#failure.error;
  }

  #coded(stage: string, cause: unknown): unknown {
    if (isUmbusError(cause)) return cause;
    const problem = `Stage '${stage}' of task ${this.name} failed: ${safeMessageOf(cause)}`;
    return new UmbusError('UMBUS_TOPOLOGY_PROCESS', problem, { cause, details: { task: this.name, stage } });
  }

  filtered(): void {
    this.#environment.counts.filtered += 1;
  }

  begin(): number {
    return 0;
  }

  undo(): void {}

  output(
    topic: ErasedTopic,
    partition: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    flow: Flow,
  ): void {
    const seq = this.#nextSeq(flow.ownSeq);
    this.outputs.push(topic, partition, key, value, flow.timestampMs, flow.headers, seq, this.#lane);
  }

  defer(): never {
    throw new UmbusError('UMBUS_INTERNAL', 'An asynchronous stage follows an external source.');
  }

  #nextSeq(given: Uint8Array | null): Uint8Array {
    if (given !== null && given === this.#given) {
      this.#ordinal += 1;
      return seqWith(given, this.#ordinal);
    }
    const seq = given ?? numberAfter(this.#seq);
    if (Buffer.compare(seq, this.#seq) <= 0) {
      throw new UmbusError(
        'UMBUS_INTERNAL',
        `The task ${this.name} emitted a record that is not after the one before it: ${hex(seq)} follows ${hex(this.#seq)}.`,
      );
    }
    this.#given = given;
    this.#ordinal = 0;
    this.#seq = seq;
    return seq;
  }

  #openContext(stage: Extract<Stage, { kind: 'process' }>): OpenProcessor['context'] {
    return {
      stores: {},
      task: this.name,
      partition: 0,
      now: () => this.#environment.clock.now(),
      park: (key, value, error) => this.#park(stage.name, key, value, error),
    };
  }

  #park(stage: string, key: string, value: Uint8Array, error: unknown): void {
    const { graph, clock, counts, events } = this.#environment;
    if (graph.deadTopic === null) {
      throw new UmbusError(
        'UMBUS_TOPOLOGY_INVALID',
        `Topology '${graph.name}' parks a record, but names no deadLetter topic.`,
      );
    }
    const nowMs = clock.now();
    const code = codeOf(error, 'UMBUS_TOPOLOGY_PROCESS');
    const place = { topology: graph.name, task: this.name, stage, topic: '', partition: 0, offset: -1n };
    this.#ordinal += 1;
    this.outputs.add({
      topic: graph.deadTopic,
      partition: 0,
      key: Buffer.from(key, 'utf8'),
      value,
      timestampMs: nowMs,
      headers: {
        ...deadHeaders(noHeaders, place, error, code, nowMs),
        [SEQ_HEADER]: seqWith(this.#seq, this.#ordinal),
        [LANE_HEADER]: this.#lane,
      },
    });
    counts.parked += 1;
    events.parked?.({ ...place, key, code, message: safeMessageOf(error) });
  }
}

/** The next number after a seq of 8 bytes, u64 big-endian; 1 after none. */
function numberAfter(seq: Uint8Array): Buffer {
  const next = Buffer.alloc(8);
  next.writeBigUInt64BE(seq.length < 8 ? 1n : Buffer.from(seq).readBigUInt64BE() + 1n);
  return next;
}

function hex(seq: Uint8Array): string {
  return Buffer.from(seq).toString('hex');
}

/** Whether reading an external source can go on after this error, by opening it anew. */
export function reopens(error: unknown): boolean {
  return isUmbusError(error) && error.retryable;
}

import { Buffer } from 'node:buffer';
import { assert } from '../core/assert.ts';
import type { CommittedOffset, Headers, LogRecord, OutgoingRecord, RecordBatch } from '../ports/log.ts';
import { Flow, type Step } from '../topology/flow.ts';
import { type FusedStages, fuse } from '../topology/fuse.ts';
import type { Erased, Stage } from '../topology/graph.ts';
import { noBytes } from '../topology/serdes.ts';
import type { TopicShape } from '../topology/stream.ts';
import { controlContext, type InputGate } from './control-context.ts';
import type { ControlFeeds } from './control-feeds.ts';
import { MAX_ORDINAL, seqOfOffset } from './input-place.ts';
import type { Lane } from './lanes.ts';
import type { Origin } from './metadata.ts';
import { LANE_HEADER, SEQ_HEADER } from './outputs.ts';
import { type Punctuation, Punctuations } from './punctuations.ts';
import type { TaskSnapshot } from './snapshot.ts';
import { changelogTopic, type TaskEnvironment } from './task-environment.ts';
import { TaskHost } from './task-host.ts';
import type { TaskInput, TaskState } from './task-state.ts';

const noHeaders: Headers = Object.freeze({});

/** What a task hands to a commit. */
export interface TaskCommit {
  readonly outputs: readonly OutgoingRecord[];
  readonly offsets: readonly CommittedOffset[];
  /** Of outputs, without changelogs. */
  readonly bytes: number;
  /** Topics to be made before the outputs are written. */
  readonly topics: readonly TopicShape[];
}

/**
 * A task: partition p of the topics of a group, its stores, and what it made of them since the last commit. It runs synchronously over a batch;
 * only stages with `mapAsync` make it wait. It does no IO: the group's runner polls for it and commits what {@link Task.takeCommit} gives.
 * A task that has failed is dropped; a new one is restored from what is committed.
 */
export class Task {
  readonly partition: number;
  readonly #environment: TaskEnvironment;
  readonly #state: TaskState;
  readonly #flow = new Flow();
  readonly #host: TaskHost;
  readonly #fused: FusedStages;
  readonly #punctuations: Punctuations;
  readonly #dedupe: boolean;
  /** Whether something happened that the next commit must write. */
  #dirty = false;
  #records = 0;

  constructor(environment: TaskEnvironment, partition: number, state: TaskState) {
    this.partition = partition;
    this.#environment = environment;
    this.#state = state;
    this.#dedupe = environment.graph.guarantee !== 'at-least-once';
    const { origin } = state;
    this.#host = new TaskHost(environment, partition, this.#flow, state.stores, {
      topic: '',
      partition,
      offset: -1n,
      record: null,
      // Before any record a punctuation has a lane of its own, without an input topic.
      lane: Buffer.from(origin?.lane ?? `${environment.groupName}:/${partition}`, 'latin1'),
      seq: origin?.seq ?? noBytes,
      ordinal: origin?.ordinal ?? 0,
      ordinalEnd: MAX_ORDINAL,
    });
    const host = this.#host;
    this.#fused = fuse(environment.graph, environment.group, host, this.#flow, stage =>
      host.openContext(stage),
    );
    this.#punctuations = new Punctuations(
      this.#fused.processors,
      environment.clock.now(),
      state.streamTimeMs,
    );
  }

  /** Whether there is something to commit. */
  get dirty(): boolean {
    return this.#dirty;
  }

  /** Bytes of outputs that wait for the commit. */
  get pendingBytes(): number {
    return this.#host.outputs.bytes;
  }

  /** Wall-clock time of the next punctuation, null when there is none. */
  get nextWallMs(): number | null {
    return this.#punctuations.nextWallMs;
  }

  /** Records read since the last commit. */
  get recordsSinceCommit(): number {
    return this.#records;
  }

  /** Control positions, for trimming what all tasks have applied. */
  get controlPositions(): ReadonlyMap<string, bigint> {
    return this.#state.controls;
  }

  /** Runs a batch. A promise only when asynchronous stages have calls to wait for. Throws, or rejects with, the failure that stops the task. */
  process(batch: RecordBatch): Promise<void> | null {
    const input = this.#state.inputs.get(batch.topic);
    const head = this.#fused.heads.get(batch.topic);
    assert(
      input !== undefined && head !== undefined,
      `The task ${this.#host.name} does not read '${batch.topic}'.`,
    );
    for (const record of batch.records) this.#processRecord(input, head.stage, head.step, record);
    if (batch.nextOffset > input.position) input.position = batch.nextOffset;
    input.end = batch.endOffset;
    input.timestampMs = batch.records.at(-1)?.timestampMs ?? input.timestampMs;
    this.#records += batch.records.length;
    this.#environment.counts.records += batch.records.length;
    this.#dirty = true;
    this.#leaveRecord();
    return this.#host.calls.waiting ? this.#host.calls.drain() : null;
  }

  #processRecord(input: TaskInput, stage: Stage, step: Step, record: LogRecord): void {
    if (!this.#enter(input, record) || !this.#decode(input, stage, record)) return;
    const flow = this.#flow;
    flow.topic = input.topic.name;
    flow.offset = record.offset;
    flow.timestampMs = record.timestampMs;
    flow.seq = this.#host.place.seq;
    flow.headers = record.headers;
    step(flow);
    this.#host.throwIfFailed();
    if (this.#punctuations.hasStream) {
      for (const due of this.#punctuations.streamDue(record.timestampMs)) {
        this.#punctuate(due, record.timestampMs);
      }
    }
  }

  /** Takes a record in hand; false when it was processed before. */
  #enter(input: TaskInput, record: LogRecord): boolean {
    const seq = record.headers[SEQ_HEADER];
    const laneHeader = record.headers[LANE_HEADER];
    if (record.offset < input.position) {
      // Delivered again within one ownership: what it did is in the stores already.
      this.#environment.counts.duplicates += 1;
      return false;
    }
    if (seq === undefined || laneHeader === undefined) {
      // A record from outside: its offset is its place, and tells what has been processed.
      this.#enterAt(input, input.lanes.of(undefined), record, seqOfOffset(record.offset));
      return true;
    }
    const lane = input.lanes.of(laneHeader);
    if (this.#dedupe && lane.watermark !== null && Buffer.compare(seq, lane.watermark) <= 0) {
      this.#environment.counts.duplicates += 1;
      return false;
    }
    lane.watermark = seq;
    this.#enterAt(input, lane, record, seq);
    return true;
  }

  #enterAt(input: TaskInput, lane: Lane, record: LogRecord, seq: Uint8Array): void {
    const { place } = this.#host;
    place.topic = input.topic.name;
    place.offset = record.offset;
    place.record = record;
    place.lane = lane.out;
    place.seq = seq;
    place.ordinal = 0;
    place.ordinalEnd = MAX_ORDINAL;
  }

  /** What follows until the next record is not about a record, but its outputs still follow those of the last one. */
  #leaveRecord(): void {
    const { place } = this.#host;
    place.topic = '';
    place.offset = -1n;
    place.record = null;
  }

  #decode(input: TaskInput, stage: Stage, record: LogRecord): boolean {
    const flow = this.#flow;
    try {
      flow.key = input.topic.key.decode(record.key ?? noBytes);
      flow.value = input.topic.value.decode(record.value ?? noBytes);
      return true;
    } catch (error) {
      const policy = stage.kind === 'source' ? stage.onError : this.#environment.graph.onError.decode;
      this.#host.drop(stage.name, policy, error, 'UMBUS_TOPOLOGY_DECODE');
      return false;
    }
  }

  /** Fires the wall-clock punctuations that are due. A promise only as with {@link Task.process}. */
  punctuateWall(nowMs: number): Promise<void> | null {
    for (const due of this.#punctuations.wallDue(nowMs)) {
      this.#punctuate(due, nowMs);
      if (this.#host.outputs.length > 0 || this.#host.storesChanged || this.#host.calls.waiting) {
        this.#dirty = true;
      }
    }
    return this.#host.calls.waiting ? this.#host.calls.drain() : null;
  }

  #punctuate({ open, fire }: Punctuation, timestampMs: number): void {
    const flow = this.#flow;
    flow.key = null;
    flow.value = null;
    flow.topic = '';
    flow.offset = -1n;
    flow.headers = noHeaders;
    flow.timestampMs = timestampMs;
    flow.seq = this.#host.place.seq;
    try {
      fire(open.context, open.emit);
    } catch (error) {
      this.#host.throwIfFailed();
      this.#host.fail(open.stage, error, 'UMBUS_TOPOLOGY_PROCESS');
    }
    this.#host.throwIfFailed();
  }

  /** Applies the control records that are new to this task. `gate` stops and starts the reading of its inputs. */
  applyControls(feeds: ControlFeeds, gate: InputGate): void {
    const { controls } = this.#state;
    const { groupName, graph, clock } = this.#environment;
    const context = controlContext(this.#host.name, this.partition, this.#state, gate, clock);
    const applied = feeds.apply(controls, context, ({ control, partition }, record, error) => {
      const topic = control.topic.name;
      const lane = Buffer.from(`${groupName}:${topic}/${partition}`, 'latin1');
      const { offset } = record;
      const place = { topic, partition, offset, record, lane, seq: seqOfOffset(offset) };
      const ordinals = { ordinal: 0, ordinalEnd: MAX_ORDINAL };
      this.#host.dropAt({ ...place, ...ordinals }, control.name, graph.onError.process, error);
    });
    if (applied) this.#dirty = true;
  }

  /** Runs the commit punctuation. A promise only as with {@link Task.process}; to be awaited before {@link Task.takeCommit}. */
  flush(): Promise<void> | null {
    const atMs = this.#punctuations.streamTimeMs ?? this.#environment.clock.now();
    for (const due of this.#punctuations.commit) this.#punctuate(due, atMs);
    return this.#host.calls.waiting ? this.#host.calls.drain() : null;
  }

  /** Gives all that is to be made durable together; the task is clean after. */
  takeCommit(): TaskCommit {
    const { group, rootName, counts, clock } = this.#environment;
    assert(!this.#host.calls.waiting, `The task ${this.#host.name} has calls that nobody waited for.`);
    const { records, bytes, topics } = this.#host.outputs.take(group.hasAsync);
    const nowMs = clock.now();
    const at = this.#state.at();
    for (const [name, store] of this.#state.stores) {
      if (!store.changed) continue;
      store.takeChanges(changelogTopic(rootName, name), this.partition, nowMs, at, records);
    }
    const { streamTimeMs } = this.#punctuations;
    const offsets = this.#state.offsets(this.partition, streamTimeMs, this.#origin(), this.#forgot);
    counts.outputs += records.length;
    counts.bytes += bytes;
    this.#dirty = false;
    this.#records = 0;
    return { outputs: records, offsets, bytes, topics };
  }

  #origin(): Origin | null {
    // Only a punctuation goes on after its record; without one the ordinals need not be remembered.
    if (!this.#punctuations.emitsOutsideRecords) return null;
    const { lane, seq, ordinal } = this.#host.place;
    return { lane: Buffer.from(lane).toString('latin1'), seq, ordinal };
  }

  readonly #forgot = (topic: string, lanes: number): void => {
    const { events, graph } = this.#environment;
    events.laneForgotten?.({ topology: graph.name, task: this.#host.name, topic, lanes });
  };

  /** What a store holds now; nothing for one that the task does not have. */
  entries(store: string): Iterable<readonly [Erased, Erased]> {
    return this.#state.stores.get(store)?.entries() ?? [];
  }

  /** The task as it is now. */
  snapshot(): TaskSnapshot {
    const { partition } = this;
    const { inputs, stores, paused } = this.#state;
    return {
      task: this.#host.name,
      partition,
      group: this.#environment.groupName,
      inputs: [...inputs.values()].map(({ topic, position, end, timestampMs }) => ({
        topic: topic.name,
        partition,
        position,
        lagRecords: end > position ? end - position : 0n,
        timestampMs,
      })),
      paused: [...paused],
      stores: Object.fromEntries([...stores].map(([store, { size }]) => [store, size])),
    };
  }
}

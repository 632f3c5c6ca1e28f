import type { Headers } from '../ports/log.ts';
import type { Erased, ErasedTopic } from './graph.ts';

const noSeq: Uint8Array = new Uint8Array(0);
const noHeaders: Headers = Object.freeze({});

/**
 * The record on its way through the fused stages of one task. There is one for each task: a stage changes its fields, calls the next
 * stage, and puts them back, so nothing is allocated for each stage and siblings after a fan-out see the same record.
 */
export class Flow {
  key: Erased = null;
  value: Erased = null;
  topic = '';
  offset = -1n;
  timestampMs = 0;
  seq: Uint8Array = noSeq;
  headers: Headers = noHeaders;
  /** Partition that an emit asked for, -1 when none did. */
  partition = -1;
  /** Seq that an emit gave; null when the runtime makes it. */
  ownSeq: Uint8Array | null = null;
}

/** One stage and all that follows it. */
export type Step = (flow: Flow) => void;

/** Says that the error policy dropped the record. */
export const dropped: unique symbol = Symbol('dropped');

/** What the fused stages need from the task that runs them. */
export interface StageHost {
  /**
   * Applies the error policy of a place: gives the result of a retry that worked, or {@link dropped}, or throws the failure that stops the task.
   */
  failed(stage: string, place: 'process' | 'produce', error: unknown, retry: () => Erased): Erased;
  /** Counts a record that a filter or branch did not let through. */
  filtered(): void;
  /** Begins a call of a processor; what it changes can be taken back until the next call begins. Returns the number of outputs so far. */
  begin(): number;
  /** Takes back store changes since `begin`; throws UMBUS_INTERNAL when the call had emitted something. */
  undo(stage: string, outputsBefore: number): void;
  /** Takes an encoded record for `topic`. A null key or value is given as null. */
  output(
    topic: ErasedTopic,
    partition: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    flow: Flow,
  ): void;
  /** Partition of the task: where records without a key go. */
  readonly partition: number;
  /** Hands a record to the asynchronous stage `stage`; `next` is called with its result later in the same batch. */
  defer(stage: number, flow: Flow, next: Step): void;
}

import type { MemoryLog } from '../adapters/memory/memory-log.ts';
import type {
  CommittedOffset,
  JoinOptions,
  Log,
  LogRecord,
  Membership,
  OutgoingRecord,
  RecordBatch,
  TopicDescription,
  TopicPartition,
  TopicSpec,
  Writer,
} from '../ports/log.ts';
import type { CrashPoint } from './faults.ts';
import { GatedMembership, GatedWriter, type InstanceLog, never } from './gated-membership.ts';
import type { Scheduler } from './scheduler.ts';

/** How the log of an instance behaves. */
export interface GatedLogOptions {
  /** Imitate Kafka without transactions: outputs, then offsets; nobody fences the outputs of a zombie. */
  readonly outputsFirst: boolean;
  /** Appends as a producer that nobody fences. */
  readonly append: (records: readonly OutgoingRecord[]) => Promise<void>;
  /** How many of `count` outputs are written when a commit breaks in the middle. */
  readonly prefix: (count: number) => number;
  /** Called when the instance has reached the point where it was to crash. */
  readonly crashed: () => void;
}

/** The log as one simulated instance sees it: each call waits for the scheduler, and can be the last thing that the instance does. */
export class GatedLog implements Log, InstanceLog {
  readonly log: MemoryLog;
  readonly #scheduler: Scheduler;
  readonly #options: GatedLogOptions;
  readonly #memberships = new Set<GatedMembership>();
  #armed: Exclude<CrashPoint, 'now'> | null = null;
  #dead = false;

  constructor(log: MemoryLog, scheduler: Scheduler, options: GatedLogOptions) {
    this.log = log;
    this.#scheduler = scheduler;
    this.#options = options;
  }

  get dead(): boolean {
    return this.#dead;
  }

  get hasWorkInHand(): boolean {
    return [...this.#memberships].some(membership => membership.workInHand);
  }

  /** Groups that the instance is in. */
  get groupNames(): readonly string[] {
    return [...this.#memberships].map(membership => membership.group);
  }

  /** From here on no call of this instance goes on, and nothing is told to it. */
  kill(): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#scheduler.forget(this);
    for (const membership of this.#memberships) membership.abandon();
    this.#memberships.clear();
  }

  crashAt(point: Exclude<CrashPoint, 'now'>): void {
    this.#armed = point;
  }

  becomeZombie(): void {
    for (const membership of this.#memberships) membership.becomeZombie();
  }

  /** Waits for a turn; never resolves once the instance is dead. */
  turn(): Promise<void> {
    return this.#dead ? never() : this.#scheduler.gate(this);
  }

  /** Runs a write, or dies before, within or after it when that was asked for. `rest` is what follows the outputs: the offsets. */
  async write(
    outputs: readonly OutgoingRecord[],
    atomic: () => Promise<void>,
    rest: (() => Promise<void>) | null,
  ): Promise<void> {
    await this.turn();
    const point = this.#armed;
    this.#armed = null;
    const { outputsFirst, append, prefix } = this.#options;
    if (point === 'before-commit' || (point === 'between' && !outputsFirst)) return this.#die();
    if (point === 'between') {
      await append(outputs.slice(0, prefix(outputs.length)));
      return this.#die();
    }
    if (outputsFirst && rest !== null) {
      await append(outputs);
      await this.turn();
      await rest();
    } else await atomic();
    if (point === 'after-commit') return this.#die();
    // The acknowledgement takes a turn too.
    await this.turn();
  }

  #die(): Promise<never> {
    this.#options.crashed();
    return never();
  }

  async #call<T>(f: () => Promise<T>): Promise<T> {
    await this.turn();
    const result = await f();
    return this.#dead ? never() : result;
  }

  ensureTopics(specs: readonly TopicSpec[]): Promise<void> {
    return this.#call(() => this.log.ensureTopics(specs));
  }

  topics(): Promise<readonly TopicDescription[]> {
    return this.#call(() => this.log.topics());
  }

  offset(
    partition: TopicPartition,
    at: 'earliest' | 'latest' | { readonly timestampMs: number },
  ): Promise<bigint> {
    return this.#call(() => this.log.offset(partition, at));
  }

  committed(
    group: string,
    partitions: readonly TopicPartition[],
  ): Promise<readonly (CommittedOffset | null)[]> {
    return this.#call(() => this.log.committed(group, partitions));
  }

  groups(): Promise<readonly string[]> {
    return this.#call(() => this.log.groups());
  }

  read(
    from: TopicPartition & { readonly offset: bigint },
    options: { readonly maxBytes: number; readonly maxWaitMs: number },
    signal: AbortSignal,
  ): Promise<RecordBatch> {
    return this.#call(() => this.log.read(from, options, signal));
  }

  tail(partition: TopicPartition, count: number): Promise<readonly LogRecord[]> {
    return this.#call(() => this.log.tail(partition, count));
  }

  async openWriter(id: string): Promise<Writer> {
    const writer = await this.#call(() => this.log.openWriter(id));
    return new GatedWriter(this, writer);
  }

  async join(options: JoinOptions): Promise<Membership> {
    await this.turn();
    const membership = new GatedMembership(this, options);
    membership.inner = await this.log.join({ ...options, listener: membership.listener });
    if (this.#dead) {
      membership.abandon();
      return never();
    }
    this.#memberships.add(membership);
    return membership;
  }

  left(membership: GatedMembership): void {
    this.#memberships.delete(membership);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

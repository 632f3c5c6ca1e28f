import type { MemoryLog } from '../adapters/memory/memory-log.ts';
import { UmbusError } from '../core/errors.ts';
import type {
  AssignmentListener,
  Commit,
  JoinOptions,
  Membership,
  OutgoingRecord,
  RecordBatch,
  TopicPartition,
  Writer,
} from '../ports/log.ts';

/** The log of the instance that a writer or membership belongs to. */
export interface InstanceLog {
  readonly log: MemoryLog;
  readonly dead: boolean;
  turn(): Promise<void>;
  write(
    outputs: readonly OutgoingRecord[],
    atomic: () => Promise<void>,
    rest: (() => Promise<void>) | null,
  ): Promise<void>;
  left(membership: GatedMembership): void;
}

/** A promise that does not end: where a dead instance waits. */
export function never(): Promise<never> {
  return new Promise(() => {});
}

/** A fenced writer whose appends wait for turns, in order. */
export class GatedWriter implements Writer {
  readonly #log: InstanceLog;
  readonly #writer: Writer;
  #last: Promise<void> = Promise.resolve();

  constructor(log: InstanceLog, writer: Writer) {
    this.#log = log;
    this.#writer = writer;
  }

  append(records: readonly OutgoingRecord[]): Promise<void> {
    const previous = this.#last;
    const write = async (): Promise<void> => {
      await previous;
      await this.#log.write(records, () => this.#writer.append(records), null);
    };
    const written = write();
    this.#last = written.catch(() => {});
    return written;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last;
    await this.#log.turn();
    await this.#writer[Symbol.asyncDispose]();
  }
}

/** A membership whose calls wait for turns; commits keep their order. */
export class GatedMembership implements Membership {
  inner: Membership | null = null;
  readonly group: string;
  readonly listener: AssignmentListener;
  readonly #log: InstanceLog;
  readonly #member: string;
  #last: Promise<void> = Promise.resolve();
  #polled = false;
  #commits = 0;
  /** How often partitions were taken away: a commit that was asked for before is refused after. */
  #losses = 0;
  #refusal: UmbusError | null = null;

  constructor(log: InstanceLog, options: JoinOptions) {
    this.#log = log;
    this.group = options.group;
    this.#member = options.member;
    const { listener } = options;
    this.listener = {
      assigned: partitions => (log.dead ? never() : listener.assigned(partitions)),
      revoking: partitions => (log.dead ? undefined : listener.revoking(partitions)),
      lost: partitions => {
        this.#losses += 1;
        if (!log.dead) listener.lost(partitions);
      },
      moving: () => {
        if (!log.dead) listener.moving?.();
      },
    };
  }

  /** Whether a batch was delivered that is not committed yet. */
  get workInHand(): boolean {
    return this.#polled || this.#commits > 0;
  }

  abandon(): void {
    void this.inner?.[Symbol.asyncDispose]();
  }

  becomeZombie(): void {
    // It learns the truth at its next poll, or when its commit is refused.
    if (this.workInHand) this.#log.log.expel(this.group, this.#member);
  }

  #opened(): Membership {
    if (this.inner === null)
      throw new UmbusError('UMBUS_INTERNAL', 'The membership is used before it is open.');
    return this.inner;
  }

  async poll(
    options: { readonly maxBytes: number; readonly maxWaitMs: number },
    signal: AbortSignal,
  ): Promise<readonly RecordBatch[]> {
    this.#polled = false;
    await this.#log.turn();
    const batches = await this.#opened().poll(options, signal);
    if (this.#log.dead) return never();
    if (batches.length === 0) return batches;
    this.#polled = true;
    await this.#log.turn();
    return batches;
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.#opened().pause(partitions);
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.#opened().resume(partitions);
  }

  seek(partition: TopicPartition, offset: bigint): void {
    this.#opened().seek(partition, offset);
  }

  commit(commit: Commit): Promise<void> {
    const previous = this.#last;
    const losses = this.#losses;
    this.#commits += 1;
    const write = async (): Promise<void> => {
      await previous;
      try {
        const { outputs, offsets } = commit;
        const owned = (offered: Commit): Promise<void> => this.#commitOwned(offered, losses);
        await this.#log.write(
          outputs,
          () => owned(commit),
          () => owned({ outputs: [], offsets }),
        );
      } finally {
        this.#commits -= 1;
      }
    };
    const written = write();
    this.#last = written.catch(() => {});
    return written;
  }

  /** A log knows in which ownership a commit was asked for, although the same member may own the partition again. */
  #commitOwned(commit: Commit, losses: number): Promise<void> {
    if (losses !== this.#losses) {
      this.#refusal ??= new UmbusError(
        'UMBUS_LOG_FENCED',
        `Member ${this.#member} of group ${this.group} lost a partition before its commit.`,
      );
    }
    return this.#refusal === null ? this.#opened().commit(commit) : Promise.reject(this.#refusal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last;
    await this.#log.turn();
    this.#log.left(this);
    await this.#opened()[Symbol.asyncDispose]();
  }
}

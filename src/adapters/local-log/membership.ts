import { UmbusError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Commit, JoinOptions, Membership, RecordBatch, TopicPartition } from '../../ports/log.ts';
import { Cursors } from './cursors.ts';
import type { GroupCoordinator, Seat, SeatHolder } from './group-coordinator.ts';
import type { LogStorage, StoredPartition } from './storage.ts';
import { waitFor } from './waiting.ts';

/** Longest metadata of a committed offset, in characters (`ports/log.ts`). */
const METADATA_LIMIT = 4000;

/** What a membership needs of the log it belongs to. */
export interface MembershipContext {
  readonly storage: LogStorage;
  readonly coordinator: GroupCoordinator;
  readonly clock: Clock;
  /** Aborted when the log closes. */
  readonly closed: AbortSignal;
  /** Called when the membership has ended. */
  readonly ended: (membership: LocalMembership) => void;
}

/** Membership over a {@link LogStorage}; see `ports/log.ts` for the contract. */
export class LocalMembership implements Membership, SeatHolder {
  readonly #context: MembershipContext;
  readonly #options: JoinOptions;
  readonly #partitions: readonly (readonly StoredPartition[])[];
  readonly #seat: Seat;
  readonly #cursors = new Cursors();
  readonly #inFlight = new Set<Promise<void>>();
  #changed = false;
  #wake: (() => void) | null = null;
  #failure: UmbusError | null = null;
  #left = false;

  /** `partitions`: those of each topic, all of the same number. */
  constructor(
    context: MembershipContext,
    options: JoinOptions,
    partitions: readonly (readonly StoredPartition[])[],
  ) {
    this.#context = context;
    this.#options = options;
    this.#partitions = partitions;
    const shape = { topics: options.topics, slots: partitions[0]?.length ?? 0 };
    this.#seat = context.coordinator.join(options.group, shape, options.member, this);
  }

  get seat(): Seat {
    return this.#seat;
  }

  changed({ revoke, lost }: Seat): void {
    this.#changed = true;
    if (revoke.size > 0 || lost.size > 0) this.#options.listener.moving?.();
    this.#wake?.();
  }

  async settled(): Promise<void> {
    await Promise.allSettled(this.#inFlight);
  }

  async poll(
    options: { readonly maxBytes: number; readonly maxWaitMs: number },
    signal: AbortSignal,
  ): Promise<readonly RecordBatch[]> {
    const { clock, closed } = this.#context;
    const until = clock.now() + options.maxWaitMs;
    for (;;) {
      this.#assertOpen();
      if (signal.aborted) return [];
      if (this.#changed) {
        await this.#applyChanges(signal);
        continue;
      }
      const batches = this.#cursors.fetch(this.#seat.held, options.maxBytes);
      const left = until - clock.now();
      if (batches.length > 0 || left <= 0) return batches;
      await waitFor(clock, left, signal, wake => this.#subscribe(wake, closed));
    }
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) {
      const cursor = this.#cursors.get(partition);
      if (cursor !== undefined) cursor.paused = true;
    }
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) {
      const cursor = this.#cursors.get(partition);
      if (cursor !== undefined) cursor.paused = false;
    }
    this.#wake?.();
  }

  seek(partition: TopicPartition, offset: bigint): void {
    const cursor = this.#cursors.get(partition);
    if (cursor === undefined) throw this.#notOwned(partition);
    cursor.position = offset;
    this.#wake?.();
  }

  commit(commit: Commit): Promise<void> {
    const refusal = this.#refusal(commit);
    if (refusal !== null) {
      this.#failure ??= refusal;
      return Promise.reject(refusal);
    }
    const written = this.#context.storage.write({
      origin: { kind: 'member', group: this.#options.group, member: this.#options.member },
      outputs: commit.outputs,
      offsets: commit.offsets,
      guard: () => {
        if (this.#failure !== null) throw afterFailure(this.#failure);
      },
      failed: error => {
        this.#failure ??= error;
      },
    });
    this.#inFlight.add(written);
    const done = () => this.#inFlight.delete(written);
    written.then(done, done);
    return written;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#left) return;
    this.#left = true;
    this.#wake?.();
    await this.settled();
    this.#context.coordinator.leave(this.#seat);
    this.#context.ended(this);
  }

  /** Reads the partition again from `offset`, as after a lost acknowledgement. Used by the memory log's faults. */
  rewind(partition: TopicPartition, offset: bigint): boolean {
    const cursor = this.#cursors.get(partition);
    if (cursor === undefined || offset > cursor.position) return false;
    cursor.position = offset;
    this.#wake?.();
    return true;
  }

  #assertOpen(): void {
    if (this.#context.closed.aborted || this.#left) throw this.#closedError();
  }

  #refusal(commit: Commit): UmbusError | null {
    if (this.#failure !== null) return afterFailure(this.#failure);
    if (this.#context.closed.aborted || this.#left) return this.#closedError();
    for (const offset of commit.offsets) {
      const cursor = this.#cursors.get(offset);
      if (cursor === undefined || !this.#seat.held.has(cursor.slot)) return this.#notOwned(offset);
      if (offset.metadata.length > METADATA_LIMIT) {
        return new UmbusError(
          'UMBUS_LOG_RECORD_SIZE',
          `The offset metadata of group ${this.#options.group} for ${place(offset)} has ${offset.metadata.length} characters; at most ${METADATA_LIMIT} fit.`,
        );
      }
    }
    return null;
  }

  #closedError(): UmbusError {
    if (this.#context.closed.aborted) return new UmbusError('UMBUS_LOG_CLOSED', 'The log was closed.');
    return new UmbusError(
      'UMBUS_LOG_CLOSED',
      `Member ${this.#options.member} has left group ${this.#options.group}.`,
    );
  }

  #notOwned(partition: TopicPartition): UmbusError {
    return new UmbusError(
      'UMBUS_LOG_FENCED',
      `Member ${this.#options.member} of group ${this.#options.group} does not own ${place(partition)}.`,
      { details: { group: this.#options.group, topic: partition.topic, partition: partition.partition } },
    );
  }

  /** Tells the listener what has changed, one kind after the other, until nothing is left to tell. */
  async #applyChanges(signal: AbortSignal): Promise<void> {
    const { coordinator } = this.#context;
    const seat = this.#seat;
    while (this.#changed && !this.#left && !signal.aborted) {
      this.#changed = false;
      if (seat.lost.size > 0) this.#tellLost();
      if (!seat.active) coordinator.rejoin(seat);
      if (seat.revoke.size > 0) await this.#giveBack([...seat.revoke]);
      if (seat.announce.size > 0) await this.#takeOver([...seat.announce]);
    }
  }

  #tellLost(): void {
    const lost = [...this.#seat.lost];
    this.#seat.lost.clear();
    this.#options.listener.lost(this.#drop(lost));
  }

  async #giveBack(slots: readonly number[]): Promise<void> {
    const { coordinator } = this.#context;
    await this.#options.listener.revoking(this.#partitionsOf(slots));
    await this.settled();
    const kept = slots.filter(slot => this.#seat.held.has(slot));
    this.#drop(kept);
    coordinator.release(this.#seat, kept);
    // Slots that went while the callback ran are told as lost in the next turn.
    if (kept.length < slots.length) this.#changed = true;
  }

  async #takeOver(slots: readonly number[]): Promise<void> {
    for (const slot of slots) {
      this.#seat.announce.delete(slot);
      for (const topic of this.#partitions) {
        const partition = topic[slot];
        if (partition === undefined) continue;
        const committed = this.#context.storage.committed(this.#options.group, partition);
        this.#cursors.add({ partition, slot, position: committed?.offset ?? 0n, paused: false });
      }
    }
    await this.#options.listener.assigned(this.#partitionsOf(slots));
  }

  #partitionsOf(slots: readonly number[]): TopicPartition[] {
    return slots.flatMap(slot =>
      this.#partitions.flatMap(topic => {
        const partition = topic[slot];
        return partition === undefined ? [] : [{ topic: partition.topic, partition: partition.partition }];
      }),
    );
  }

  #drop(slots: readonly number[]): TopicPartition[] {
    const partitions = this.#partitionsOf(slots);
    this.#cursors.drop(partitions);
    return partitions;
  }

  #subscribe(wake: () => void, closed: AbortSignal): () => void {
    this.#wake = wake;
    closed.addEventListener('abort', wake, { once: true });
    const unwatch = this.#context.storage.watch(this.#cursors.unpaused(), wake);
    return () => {
      this.#wake = null;
      closed.removeEventListener('abort', wake);
      unwatch();
    };
  }
}

function afterFailure(cause: UmbusError): UmbusError {
  return new UmbusError(cause.code, `An earlier write of the same owner failed: ${cause.message}`, { cause });
}

function place(partition: TopicPartition): string {
  return `${partition.topic}/${partition.partition}`;
}

import { UmbusError } from '../../core/errors.ts';
import type { Commit, JoinOptions, Membership, RecordBatch, TopicPartition } from '../../ports/log.ts';
import type { Cluster } from './cluster.ts';
import { committedOffsets } from './committed.ts';
import { GroupFetcher } from './group-fetcher.ts';
import { GroupMember } from './group-member.ts';
import { MemberWrites } from './member-writes.ts';
import type { KafkaLogOptions } from './options.ts';

/** Longest metadata of a committed offset, in characters (`ports/log.ts`); the brokers' offset.metadata.max.bytes counts characters too, 4,096 by default. */
const METADATA_LIMIT = 4_000;
const SESSION_TIMEOUT_MS = 10_000;
const HAND_OVER_MS = 5_000;

/** What a membership needs of the log that it belongs to. */
export interface MembershipContext {
  readonly cluster: Cluster;
  readonly options: KafkaLogOptions;
  /** How many partitions each of the topics has. */
  readonly partitions: number;
  /** Aborted when the log closes. */
  readonly closed: AbortSignal;
  readonly ended: (membership: KafkaMembership) => void;
}

/**
 * Membership of a consumer group; see `ports/log.ts` for the contract. What is atomic: without transactions nothing, outputs are durable before
 * offsets, each partition's in order. With transactions one commit, whatever partitions and outputs it has: one transaction, refused when the member's
 * generation is not the group's any more, or when another has taken over one of its partition numbers.
 */
export class KafkaMembership implements Membership {
  readonly #context: MembershipContext;
  readonly #join: JoinOptions;
  readonly #member: GroupMember;
  readonly #fetcher: GroupFetcher;
  readonly #writes: MemberWrites;
  #awake = false;
  #waiting: (() => void) | null = null;
  #left: Promise<void> | null = null;

  constructor(context: MembershipContext, join: JoinOptions) {
    const { cluster, options, partitions } = context;
    this.#context = context;
    this.#join = join;
    this.#fetcher = new GroupFetcher(cluster, () => this.#wake());
    this.#member = new GroupMember({
      cluster,
      group: join.group,
      topics: join.topics,
      partitions,
      sessionTimeoutMs: options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS,
      handOverMs: options.handOverMs ?? HAND_OVER_MS,
      notify: options.onNotice ?? (() => {}),
      changed: () => this.#changed(),
    });
    this.#writes = new MemberWrites(cluster, options, join.group, this.#member);
    context.closed.addEventListener('abort', this.#wake, { once: true });
  }

  async poll(
    options: { readonly maxBytes: number; readonly maxWaitMs: number },
    signal: AbortSignal,
  ): Promise<readonly RecordBatch[]> {
    const { clock } = this.#context.cluster;
    const until = clock.now() + options.maxWaitMs;
    for (;;) {
      this.#assertOpen();
      if (signal.aborted) return [];
      this.#awake = false;
      if (await this.#applyChanges()) continue;
      const batches = this.#fetcher.take(this.#member.held, options.maxBytes);
      this.#fetcher.fill(options.maxBytes);
      const left = until - clock.now();
      if (batches.length > 0 || left <= 0) return batches;
      await this.#wait(left, signal);
    }
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.#fetcher.setPaused(partitions, true);
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.#fetcher.setPaused(partitions, false);
    this.#wake();
  }

  seek(partition: TopicPartition, offset: bigint): void {
    if (!this.#fetcher.seek(partition, offset)) throw this.#notOwned(partition);
    this.#wake();
  }

  commit(commit: Commit): Promise<void> {
    const refusal = this.#refusal(commit);
    if (refusal === null) return this.#writes.push(commit);
    this.#writes.fail(refusal);
    return Promise.reject(refusal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#left ??= this.#leave();
    return this.#left;
  }

  async #leave(): Promise<void> {
    this.#wake();
    await this.#writes.settled();
    await this.#member.leave();
    await Promise.all([this.#fetcher.close(), this.#writes.close()]);
    this.#context.closed.removeEventListener('abort', this.#wake);
    this.#context.ended(this);
  }

  /** Tells the listener what has changed. True when something was told. */
  async #applyChanges(): Promise<boolean> {
    if (this.#member.failure !== null) throw this.#member.failure;
    const lost = this.#member.takeLost();
    if (lost.length > 0) {
      this.#fetcher.drop(lost);
      this.#join.listener.lost(this.#placesOf(lost));
      return true;
    }
    this.#member.joinAgain();
    const { revoke, announce } = this.#member;
    if (revoke.length > 0) await this.#giveBack(revoke);
    else if (announce.length > 0) await this.#takeOver(announce);
    else return false;
    return true;
  }

  /** Work in flight may be committed until the deadline. After it the member has left, and what it held is lost. */
  async #giveBack(numbers: readonly number[]): Promise<void> {
    const { clock } = this.#context.cluster;
    const timer = new AbortController();
    const left = Math.max(0, (this.#member.revokeBy ?? clock.now()) - clock.now());
    const late = clock.sleep(left, timer.signal).then(() => !timer.signal.aborted);
    const committed = async (): Promise<boolean> => {
      await this.#join.listener.revoking(this.#placesOf(numbers));
      await this.#writes.settled();
      return false;
    };
    const tooLate = await Promise.race([committed(), late]);
    timer.abort();
    if (tooLate) {
      await this.#member.giveUp();
      return;
    }
    this.#fetcher.drop(numbers);
    this.#member.gaveBack(numbers);
  }

  /** The producers of the owner before are fenced first, so that its last commit is in the offsets that are read then. */
  async #takeOver(numbers: readonly number[]): Promise<void> {
    const { cluster } = this.#context;
    const { group, listener } = this.#join;
    await this.#writes.takeOver(numbers);
    const offsets = await committedOffsets(cluster, group, this.#placesOf(numbers));
    // The group may have shared anew meanwhile.
    const held = this.#member.hold(numbers);
    if (held.length === 0) return;
    const places = this.#placesOf(held);
    for (const place of places) {
      const found = offsets.find(
        offset => offset?.topic === place.topic && offset.partition === place.partition,
      );
      this.#fetcher.add(place, found?.offset ?? 0n);
    }
    await listener.assigned(places);
  }

  #refusal(commit: Commit): UmbusError | null {
    if (this.#context.closed.aborted || this.#left !== null) return this.#closedError();
    for (const offset of commit.offsets) {
      if (!this.#member.held.has(offset.partition) || !this.#join.topics.includes(offset.topic))
        return this.#notOwned(offset);
      if (offset.metadata.length > METADATA_LIMIT) {
        return new UmbusError(
          'UMBUS_LOG_RECORD_SIZE',
          `The offset metadata of group ${this.#join.group} for ${offset.topic}/${offset.partition} has ${offset.metadata.length} characters; at most ${METADATA_LIMIT} fit.`,
        );
      }
    }
    return null;
  }

  #assertOpen(): void {
    if (this.#context.closed.aborted || this.#left !== null) throw this.#closedError();
  }

  #closedError(): UmbusError {
    if (this.#context.closed.aborted) return new UmbusError('UMBUS_LOG_CLOSED', 'The log was closed.');
    const { member, group } = this.#join;
    return new UmbusError('UMBUS_LOG_CLOSED', `Member ${member} has left group ${group}.`);
  }

  #notOwned({ topic, partition }: TopicPartition): UmbusError {
    const { member, group } = this.#join;
    return new UmbusError(
      'UMBUS_LOG_FENCED',
      `Member ${member} of group ${group} does not own ${topic}/${partition}.`,
      { details: { group, topic, partition } },
    );
  }

  #placesOf(numbers: readonly number[]): TopicPartition[] {
    return numbers.flatMap(partition => this.#join.topics.map(topic => ({ topic, partition })));
  }

  #changed(): void {
    if (this.#member.moves) this.#join.listener.moving?.();
    this.#wake();
  }

  readonly #wake = (): void => {
    this.#awake = true;
    this.#waiting?.();
  };

  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#awake || signal.aborted) return;
    const timer = new AbortController();
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = (): void => resolve();
    this.#waiting = end;
    signal.addEventListener('abort', end, { once: true });
    await Promise.race([promise, this.#context.cluster.clock.sleep(ms, timer.signal)]);
    timer.abort();
    signal.removeEventListener('abort', end);
    this.#waiting = null;
  }
}

/**
 * A log in memory for the test driver and for tests. Nothing in it depends on real time or chance: writes are done before the
 * call returns its promise, waits end by an append, an abort or the given clock, and equal calls give equal answers.
 */
import { UmbusError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log, LogRecord, TopicPartition } from '../../ports/log.ts';
import { LocalLog, REBALANCE_TIMEOUT_MS } from '../local-log/local-log.ts';
import type { LocalMembership } from '../local-log/membership.ts';
import { type MemoryFaults, MemoryStorage } from './memory-storage.ts';

export type { CommitAttempt, CommitStage, MemoryFaults } from './memory-storage.ts';

export interface MemoryLogOptions {
  /** Time for waits, retention and the rebalance deadline. Default: one that stands at 0, so that waits end by appends and aborts alone. */
  readonly clock?: Clock;
  /** Read at every commit, so a test may change its members between calls. */
  readonly faults?: MemoryFaults;
  /** How long a member may take to give partitions back before it is expelled. */
  readonly rebalanceTimeoutMs?: number;
}

/** The log, with what a simulation does to it. */
export interface MemoryLog extends Log {
  /** Everything a partition holds, at once. Errors: UMBUS_LOG_UNKNOWN_TOPIC. */
  records(partition: TopicPartition): readonly LogRecord[];
  /** Delivers records of `partition` again, from `offset` on, to the member of `group` that owns it. False when none owns it or it has not got that far. */
  redeliver(group: string, partition: TopicPartition, offset: bigint): boolean;
  /** Appends the record at `offset` once more, as a producer does that had no acknowledgement. Errors: UMBUS_LOG_OFFSET_GONE. */
  duplicate(partition: TopicPartition, offset: bigint): void;
  /** Moves every partition of the group to the member after its owner, by the normal path: `revoking`, then `assigned`. */
  rebalance(group: string): void;
  /**
   * Takes all partitions from a member without asking, as when it was thought dead: the others get them at once, it learns of it by
   * `lost` in its next poll, and its commits are refused. False when the group has no such member.
   */
  expel(group: string, member: string): boolean;
  /** Names of the living members of a group, in the order of joining. */
  members(group: string): readonly string[];
  /** Applies retention and compaction once, at the clock's time. */
  maintain(): Promise<void>;
}

/** A new, empty log. */
export function createMemoryLog(options: MemoryLogOptions = {}): MemoryLog {
  const clock = options.clock ?? standingClock;
  const storage = new MemoryStorage(options.faults ?? {}, clock);
  return new MemoryLogOverStorage(storage, clock, options.rebalanceTimeoutMs ?? REBALANCE_TIMEOUT_MS);
}

class MemoryLogOverStorage extends LocalLog implements MemoryLog {
  readonly #storage: MemoryStorage;

  constructor(storage: MemoryStorage, clock: Clock, rebalanceTimeoutMs: number) {
    super(storage, clock, rebalanceTimeoutMs);
    this.#storage = storage;
  }

  records(partition: TopicPartition): readonly LogRecord[] {
    return [...this.#storage.partition(partition).records];
  }

  redeliver(group: string, partition: TopicPartition, offset: bigint): boolean {
    return this.#membersOf(group).some(member => member.rewind(partition, offset));
  }

  duplicate(partition: TopicPartition, offset: bigint): void {
    this.#storage.duplicate(this.#storage.partition(partition), offset);
  }

  rebalance(group: string): void {
    const found = this.coordinator.group(group);
    if (found === null) {
      throw new UmbusError('UMBUS_INTERNAL', `Group ${group} has no member to rebalance.`);
    }
    this.coordinator.rotate(found);
  }

  expel(group: string, member: string): boolean {
    const seat = this.coordinator.group(group)?.seats.find(each => each.member === member);
    if (seat === undefined) return false;
    this.coordinator.expel(seat);
    return true;
  }

  members(group: string): readonly string[] {
    return this.coordinator.group(group)?.seats.map(seat => seat.member) ?? [];
  }

  async maintain(): Promise<void> {
    this.#storage.maintain();
  }

  #membersOf(group: string): LocalMembership[] {
    return [...this.memberships].filter(member => member.seat.group.name === group);
  }
}

const standingClock: Clock = {
  now: () => 0,
  sleep: (_ms, signal) =>
    new Promise(resolve => {
      if (signal?.aborted) resolve();
      else signal?.addEventListener('abort', () => resolve(), { once: true });
    }),
};

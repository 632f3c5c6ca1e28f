import { isUmbusError, UmbusError } from '../../core/errors.ts';
import { brokerErrorKind } from './broker-errors.ts';
import type { ApiCall } from './calls.ts';
import type { GroupIdentity } from './group-calls.ts';
import { GroupExchange, type GroupShape } from './group-exchange.ts';
import { GroupOwnership } from './group-ownership.ts';
import type { KafkaNotice } from './options.ts';
import { isBrokerError, PATIENCE_MS, passes } from './patience.ts';

/** Bounds of the time between heartbeats: they are how a member learns that the group shares anew. */
const HEARTBEAT_MS = { min: 50, max: 500 } as const;
const RETRY_MS = { first: 20, longest: 1_000 } as const;

/** What a member needs to know. */
export interface GroupMemberOptions extends GroupShape {
  /** How long partitions that are to go may be held. */
  readonly handOverMs: number;
  readonly notify: (notice: KafkaNotice) => void;
  /** Called when there is something to tell, or a failure. */
  readonly changed: () => void;
}

/**
 * A member of a consumer group, by the classic protocol with incremental sharing (as KIP-429): it joins, answers rebalances and sends heartbeats by itself,
 * so that nobody waits for a member that is busy. What it holds stays its own through a rebalance. What is assigned to another it holds until
 * {@link gaveBack}, then it joins again and the other gets it; a member that does not give back in time leaves the group.
 *
 *   away --join--> joining --synced--> stable --rebalance, gave back--> joining
 *    ^                                   |
 *    +------- expelled, too late --------+
 */
export class GroupMember {
  readonly #options: GroupMemberOptions;
  readonly #exchange: GroupExchange;
  readonly #closing = new AbortController();
  #running: Promise<void> | null = null;
  #poke = new AbortController();
  #memberId = '';
  #generation = -1;
  #active = true;
  #stable = false;
  #rejoin = false;
  readonly #ownership = new GroupOwnership();
  #revokeBy: number | null = null;
  #lastContactMs: number;
  #failure: unknown = null;
  #waiters: (() => void)[] = [];
  /** Counts how often everything was lost: who began something before must not end it after. */
  #life = 0;

  constructor(options: GroupMemberOptions) {
    this.#options = options;
    this.#exchange = new GroupExchange(options);
    this.#lastContactMs = options.cluster.clock.now();
    this.#running = this.#run();
  }

  /** What ended the membership for good; null while it goes on. */
  get failure(): unknown {
    return this.#failure;
  }

  get held(): ReadonlySet<number> {
    return this.#ownership.held;
  }

  /** Held numbers that are to be given back; empty when nothing is known. */
  get revoke(): readonly number[] {
    return this.#stable ? this.#ownership.revoke : [];
  }

  /** Numbers that are ours and not held yet. */
  get announce(): readonly number[] {
    return this.#stable ? this.#ownership.announce : [];
  }

  /** Whether something that is held is to be given back, or was lost. */
  get moves(): boolean {
    return this.revoke.length > 0 || this.#ownership.hasLost;
  }

  /** When what is to be given back will be lost. */
  get revokeBy(): number | null {
    return this.#revokeBy;
  }

  /** Numbers that were held and are lost; told once. */
  takeLost(): readonly number[] {
    return this.#ownership.takeLost();
  }

  /** Joins again after everything was lost. */
  joinAgain(): void {
    if (this.#active) return;
    this.#active = true;
    this.#wake();
  }

  /** Takes numbers of {@link announce} as held. Gives those that it is not too late for. */
  hold(numbers: readonly number[]): readonly number[] {
    const now = new Set(this.announce);
    const held = numbers.filter(number => now.has(number));
    this.#ownership.hold(held);
    return held;
  }

  gaveBack(numbers: readonly number[]): void {
    this.#ownership.giveBack(numbers);
    this.#rejoin = true;
    this.#wake();
  }

  /** Leaves the group because it is too late to give back. */
  async giveUp(): Promise<void> {
    const life = this.#life;
    await this.#leaveGroup();
    if (life === this.#life) this.#lose();
    this.#wake();
  }

  /**
   * Sends to the coordinator what `make` makes for the current generation, and again when the generation has changed meanwhile, as long as all of `numbers`
   * stay held. `check` throws for the errors in an answer. Errors: UMBUS_LOG_FENCED, what `check` throws, UMBUS_KAFKA_*.
   */
  async send<Answer>(
    numbers: readonly number[],
    make: (identity: GroupIdentity) => ApiCall<Answer>,
    check: (answer: Answer) => void,
  ): Promise<void> {
    const { cluster } = this.#options;
    const life = this.#life;
    const until = cluster.clock.now() + PATIENCE_MS;
    for (let waitMs: number = RETRY_MS.first; ; waitMs = Math.min(waitMs * 2, RETRY_MS.longest)) {
      await this.#untilStable();
      this.#assertHeld(numbers, life);
      const { generation } = this.#identity();
      try {
        check(await this.#exchange.send(make(this.#identity())));
        return;
      } catch (error) {
        const moved = recoveryOf(error) === 'rejoin';
        if (moved && generation === this.#generation) this.#wake();
        if (!(moved || passes(error)) || cluster.clock.now() >= until) throw error;
        if (!moved) this.#exchange.forget();
        this.#assertHeld(numbers, life);
      }
      await cluster.clock.sleep(waitMs, this.#closing.signal);
    }
  }

  /** Leaves the group, so that what is held passes to the others at once. */
  async leave(): Promise<void> {
    this.#closing.abort();
    this.#wake();
    await this.#leaveGroup();
    await this.#exchange.links.close();
    await this.#running;
  }

  #identity(): GroupIdentity {
    return { group: this.#options.group, generation: this.#generation, memberId: this.#memberId };
  }

  #assertHeld(numbers: readonly number[], life: number): void {
    const { group } = this.#options;
    const missing = numbers.find(number => !this.held.has(number));
    if (life === this.#life && missing === undefined && !this.#closing.signal.aborted) return;
    throw new UmbusError('UMBUS_LOG_FENCED', `This member of group ${group} has lost its partitions.`, {
      details: { group, partition: missing ?? null },
    });
  }

  async #untilStable(): Promise<void> {
    while (!this.#stable && this.#active && !this.#closing.signal.aborted && this.#failure === null)
      await new Promise<void>(resolve => this.#waiters.push(resolve));
  }

  #wake(): void {
    this.#poke.abort();
  }

  #settled(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
    this.#options.changed();
  }

  async #run(): Promise<void> {
    const { clock } = this.#options.cluster;
    let waitMs: number = RETRY_MS.first;
    while (!this.#closing.signal.aborted && this.#failure === null) {
      try {
        if (!this.#active) await this.#pause(60_000);
        else {
          await this.#join();
          waitMs = RETRY_MS.first;
          if (this.#stable) await this.#stay();
        }
      } catch (error) {
        if (this.#closing.signal.aborted) break;
        if (isBrokerError(error, 'REBALANCE_IN_PROGRESS')) continue;
        if (recoveryOf(error) === 'rejoin') this.#lose();
        else if (passes(error)) {
          this.#exchange.forget();
          this.#expireIfSilent();
          await clock.sleep(waitMs, this.#closing.signal);
          waitMs = Math.min(waitMs * 2, RETRY_MS.longest);
        } else this.#failure = error;
      }
    }
    this.#settled();
  }

  async #join(): Promise<void> {
    const { group, topics } = this.#options;
    this.#stable = false;
    this.#rejoin = false;
    const claimed = this.#ownership.claimed;
    const answer = await this.#exchange.join(this.#memberId, claimed, this.#generation, memberId => {
      this.#memberId = memberId;
    });
    // The claims were made for the generation before; from here on this one counts.
    this.#generation = answer.generation;
    const numbers = await this.#exchange.sync(this.#identity(), answer);
    if (numbers === null) return;
    this.#ownership.assign(numbers);
    const { clock } = this.#options.cluster;
    this.#lastContactMs = clock.now();
    this.#stable = true;
    // What was claimed and has gone before it was held, or was given back meanwhile: without a claim the other may have it.
    if (this.#ownership.outdated(claimed)) this.#rejoin = true;
    this.#revokeBy =
      this.revoke.length === 0 ? null : (this.#revokeBy ?? clock.now() + this.#options.handOverMs);
    const message = `Group ${group} is in generation ${this.#generation}; this member has partitions ${this.#ownership.assigned.join(', ') || 'none'} of ${topics.join(', ')}.`;
    this.#options.notify({ kind: 'rebalance', message });
    this.#settled();
  }

  /** Stays in the generation until there is a reason to join again, or everything is lost. */
  async #stay(): Promise<void> {
    const { cluster, sessionTimeoutMs } = this.#options;
    const intervalMs = Math.min(Math.max(sessionTimeoutMs / 20, HEARTBEAT_MS.min), HEARTBEAT_MS.max);
    while (!this.#owesRejoin()) {
      await this.#pause(intervalMs);
      if (this.#closing.signal.aborted || this.#owesRejoin()) return;
      if (this.#revokeBy !== null && cluster.clock.now() >= this.#revokeBy && this.revoke.length > 0) {
        await this.#leaveGroup();
        this.#lose();
        return;
      }
      try {
        if (!(await this.#exchange.heartbeat(this.#identity()))) return;
        this.#lastContactMs = cluster.clock.now();
      } catch (error) {
        if (!passes(error)) throw error;
        this.#exchange.forget();
        this.#expireIfSilent();
        if (!this.#active) return;
      }
    }
  }

  #owesRejoin(): boolean {
    return this.#rejoin && this.revoke.length === 0;
  }

  /** Waits, or until something is asked of this member. */
  async #pause(ms: number): Promise<void> {
    await this.#options.cluster.clock.sleep(ms, this.#poke.signal);
    if (this.#poke.signal.aborted && !this.#closing.signal.aborted) this.#poke = new AbortController();
  }

  /** The coordinator gives the partitions of a silent member to others, so a member that cannot reach it must not count on them. */
  #expireIfSilent(): void {
    const { cluster, sessionTimeoutMs } = this.#options;
    if (cluster.clock.now() - this.#lastContactMs < sessionTimeoutMs) return;
    if (!this.#ownership.empty) this.#lose();
  }

  /** Everything is gone. Joins again when asked to, in the next poll. */
  #lose(): void {
    this.#life += 1;
    this.#ownership.loseAll();
    this.#stable = false;
    this.#active = false;
    this.#memberId = '';
    this.#generation = -1;
    this.#revokeBy = null;
    this.#lastContactMs = this.#options.cluster.clock.now();
    this.#settled();
  }

  async #leaveGroup(): Promise<void> {
    const memberId = this.#memberId;
    this.#memberId = '';
    await this.#exchange.leave(memberId);
  }
}

function recoveryOf(error: unknown): string | null {
  if (!isUmbusError(error)) return null;
  const kafka = error.details['kafka'];
  return typeof kafka === 'string' ? brokerErrorKind(kafka).recovery : null;
}

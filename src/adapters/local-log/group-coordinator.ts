import type { Clock } from '../../ports/clock.ts';

/** What the coordinator calls of a membership. */
export interface SeatHolder {
  /** Something about the seat changed; the holder looks at it inside its next `poll`. */
  changed(seat: Seat): void;
  /** Resolves when no commit is in flight. Never rejects. */
  settled(): Promise<void>;
}

/**
 * One member's place in a group. A slot is a partition number: whoever holds slot p owns partition p of every topic of the group.
 *
 *     free ──grant──▶ announce ──poll──▶ held ──rebalance──▶ revoke ──poll──▶ free
 *                        │                 │                   │
 *                        └───taken back────┴──────expelled─────┴────▶ lost (told in the next poll), free
 */
export class Seat {
  /** Slots held: commits for them are accepted. */
  readonly held = new Set<number>();
  /** Held, but the member was not told yet. */
  readonly announce = new Set<number>();
  /** Held, and to be given back. */
  readonly revoke = new Set<number>();
  /** Taken away, and the member was not told yet. */
  readonly lost = new Set<number>();
  /** False once it has left or was expelled. */
  active = false;
  deadline: AbortController | null = null;

  readonly member: string;
  readonly holder: SeatHolder;
  readonly group: Group;

  constructor(group: Group, member: string, holder: SeatHolder) {
    this.group = group;
    this.member = member;
    this.holder = holder;
  }
}

interface Slot {
  owner: Seat | null;
  target: Seat | null;
  /** The last owner's commits are still in flight: nobody may start from the committed offset yet. */
  draining: boolean;
}

/** A consumer group within this process. */
export interface Group {
  readonly name: string;
  readonly topics: readonly string[];
  readonly slots: Slot[];
  /** In the order of joining. */
  readonly seats: Seat[];
  /** Seats that may come back. */
  readonly expelled: Set<Seat>;
}

/**
 * Shares slots among the members of each group in this process. Moves as few as it can: members that keep their slots are not disturbed.
 * A slot goes to its next owner only when the last one has given it back, or has been expelled, and has no commit in flight; so a
 * commit that was accepted is always part of what the next owner starts from. No randomness: equal calls give equal assignments.
 */
export class GroupCoordinator {
  readonly #groups = new Map<string, Group>();
  readonly #clock: Clock;
  readonly #timeoutMs: number;

  /** `timeoutMs`: how long a member may take to give slots back before it is expelled. */
  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** The group, when it has members. */
  group(name: string): Group | null {
    return this.#groups.get(name) ?? null;
  }

  /** Takes a seat in the group, which is made when it has no member. Topics and slot count of a living group are the caller's to compare. */
  join(
    name: string,
    shape: { readonly topics: readonly string[]; readonly slots: number },
    member: string,
    holder: SeatHolder,
  ): Seat {
    let group = this.#groups.get(name);
    if (group === undefined) {
      const slots = Array.from({ length: shape.slots }, () => ({
        owner: null,
        target: null,
        draining: false,
      }));
      group = { name, topics: shape.topics, slots, seats: [], expelled: new Set() };
      this.#groups.set(name, group);
    }
    const seat = new Seat(group, member, holder);
    this.rejoin(seat);
    return seat;
  }

  /** Brings an expelled seat back, with nothing held. */
  rejoin(seat: Seat): void {
    seat.active = true;
    seat.group.expelled.delete(seat);
    seat.group.seats.push(seat);
    this.#rebalance(seat.group);
  }

  /** Gives back what `revoke` asked for, once the member has settled. */
  release(seat: Seat, slots: Iterable<number>): void {
    for (const number of slots) {
      if (!seat.held.delete(number)) continue;
      seat.revoke.delete(number);
      const slot = seat.group.slots[number];
      if (slot?.owner === seat) slot.owner = null;
    }
    if (seat.revoke.size === 0) this.#endDeadline(seat);
    this.#grant(seat.group);
  }

  /** Gives up the seat, once the member has settled. */
  leave(seat: Seat): void {
    const { group } = seat;
    if (seat.active) {
      this.#unseat(seat);
      this.release(seat, [...seat.held]);
      this.#rebalance(group);
    }
    group.expelled.delete(seat);
    if (group.seats.length === 0 && group.expelled.size === 0) this.#groups.delete(group.name);
  }

  /** Takes everything from a member that does not answer. It is told through `lost`, and its commits are refused from now on. */
  expel(seat: Seat): void {
    if (!seat.active) return;
    this.#unseat(seat);
    seat.group.expelled.add(seat);
    const slots = [...seat.held];
    seat.held.clear();
    for (const number of slots) {
      if (!seat.announce.delete(number)) seat.lost.add(number);
      const slot = seat.group.slots[number];
      if (slot === undefined) continue;
      slot.owner = null;
      slot.draining = true;
    }
    void seat.holder.settled().then(() => {
      for (const number of slots) {
        const slot = seat.group.slots[number];
        if (slot !== undefined) slot.draining = false;
      }
      this.#grant(seat.group);
    });
    this.#rebalance(seat.group);
    seat.holder.changed(seat);
  }

  /** Moves every slot to the member after its owner, in the order of joining. */
  rotate(group: Group): void {
    for (const slot of group.slots) {
      const at = slot.target === null ? -1 : group.seats.indexOf(slot.target);
      slot.target = group.seats[(at + 1) % group.seats.length] ?? null;
    }
    this.#move(group);
  }

  #unseat(seat: Seat): void {
    seat.active = false;
    seat.revoke.clear();
    this.#endDeadline(seat);
    seat.group.seats.splice(seat.group.seats.indexOf(seat), 1);
  }

  #rebalance(group: Group): void {
    assignTargets(group);
    this.#move(group);
  }

  #move(group: Group): void {
    for (const [number, slot] of group.slots.entries()) {
      const { owner, target } = slot;
      if (owner === null) continue;
      if (owner === target) {
        // A revocation that has not begun is called off. One in progress ends with a release, and then with a new grant.
        owner.revoke.delete(number);
        if (owner.revoke.size === 0) this.#endDeadline(owner);
      } else if (owner.announce.delete(number)) {
        owner.held.delete(number);
        slot.owner = null;
      } else if (target !== null) {
        owner.revoke.add(number);
        this.#startDeadline(owner);
        owner.holder.changed(owner);
      }
    }
    this.#grant(group);
  }

  #grant(group: Group): void {
    for (const [number, slot] of group.slots.entries()) {
      const { target } = slot;
      if (slot.owner !== null || slot.draining || target === null || !target.active) continue;
      slot.owner = target;
      target.held.add(number);
      target.announce.add(number);
      target.holder.changed(target);
    }
  }

  #startDeadline(seat: Seat): void {
    if (seat.deadline !== null) return;
    const deadline = new AbortController();
    seat.deadline = deadline;
    void this.#clock.sleep(this.#timeoutMs, deadline.signal).then(() => {
      if (!deadline.signal.aborted) this.expel(seat);
    });
  }

  #endDeadline(seat: Seat): void {
    seat.deadline?.abort();
    seat.deadline = null;
  }
}

/** Equal shares, differing by one at most; who has a slot keeps it while that is within its share. */
function assignTargets(group: Group): void {
  const { slots, seats } = group;
  const share = new Map<Seat, number>(seats.map(seat => [seat, 0]));
  const base = seats.length === 0 ? 0 : Math.floor(slots.length / seats.length);
  let extra = seats.length === 0 ? 0 : slots.length % seats.length;
  const take = (slot: Slot, seat: Seat, count: number): void => {
    slot.target = seat;
    share.set(seat, count + 1);
    if (count === base) extra -= 1;
  };
  const fits = (count: number): boolean => count < base || (count === base && extra > 0);
  for (const slot of slots) {
    const count = slot.owner === null ? undefined : share.get(slot.owner);
    slot.target = null;
    if (slot.owner !== null && count !== undefined && fits(count)) take(slot, slot.owner, count);
  }
  for (const slot of slots) {
    if (slot.target !== null) continue;
    const seat =
      seats.find(each => (share.get(each) ?? 0) < base) ?? seats.find(each => fits(share.get(each) ?? 0));
    if (seat !== undefined) take(slot, seat, share.get(seat) ?? 0);
  }
}

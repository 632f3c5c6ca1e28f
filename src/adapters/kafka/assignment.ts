/**
 * Who of a consumer group owns which partition numbers. A member that owns number p owns partition p of every topic of the group, so
 * numbers are all there is to share. Computed by the leader of the group, of what the members say that they own.
 */

/** A member as the leader of the group sees it. */
export interface GroupMemberView {
  readonly id: string;
  /** Partition numbers that it says it owns; none for a new one. */
  readonly owned: readonly number[];
  /** The generation in which it came to own them. A member that missed a rebalance claims what has gone to others since. */
  readonly generation: number;
}

/** Partition numbers of each member, by id, ascending. */
export type Assignment = ReadonlyMap<string, readonly number[]>;

/**
 * Equal shares, differing by one at most, of the numbers from 0 to `partitions` - 1. Who owns a number keeps it while that is within its share.
 * Of two that claim a number, the one of the newer generation has it, and neither when the generations are equal. Every number has a member
 * unless there are none. Equal input in any order gives the same answer.
 */
export function assignPartitions(members: readonly GroupMemberView[], partitions: number): Assignment {
  const ids = members.map(member => member.id).sort();
  const owners = ownersOf(members);
  const shares = new Map<string, number[]>(ids.map(id => [id, []]));
  if (ids.length === 0) return shares;
  const base = Math.floor(partitions / ids.length);
  let extra = partitions % ids.length;
  const give = (id: string, number: number): boolean => {
    const share = shares.get(id);
    if (share === undefined || share.length > base || (share.length === base && extra === 0)) return false;
    if (share.length === base) extra -= 1;
    share.push(number);
    return true;
  };
  const free: number[] = [];
  for (let number = 0; number < partitions; number++) {
    const owner = owners.get(number);
    if (owner === undefined || !give(owner, number)) free.push(number);
  }
  for (const number of free) {
    const needy = ids.find(id => (shares.get(id)?.length ?? 0) < base);
    if (needy !== undefined) give(needy, number);
    else ids.some(id => give(id, number));
  }
  for (const share of shares.values()) share.sort((one, other) => one - other);
  return shares;
}

/**
 * The part of an assignment that can be handed out now: without the numbers that another member still owns. That member sees that they are gone,
 * gives them back and joins again; the rebalance that follows hands them out. So no number has two owners, and who keeps its numbers goes on meanwhile.
 */
export function withoutStillOwned(members: readonly GroupMemberView[], wanted: Assignment): Assignment {
  const owners = ownersOf(members);
  const claimed = new Map<number, Set<string>>();
  for (const { id, owned } of members) {
    for (const number of owned) claimed.set(number, (claimed.get(number) ?? new Set<string>()).add(id));
  }
  const now = new Map<string, readonly number[]>();
  for (const [id, numbers] of wanted) {
    now.set(
      id,
      numbers.filter(number => {
        const owner = owners.get(number);
        const others = claimed.get(number) ?? new Set<string>();
        // A claim of equal generations is nobody's right, but both may still be at work: wait until they have let go.
        if (owner === undefined) return [...others].every(other => other === id);
        return owner === id;
      }),
    );
  }
  return now;
}

function ownersOf(members: readonly GroupMemberView[]): ReadonlyMap<number, string> {
  const best = new Map<number, { readonly id: string | null; readonly generation: number }>();
  for (const { id, owned, generation } of members) {
    for (const number of new Set(owned)) {
      const other = best.get(number);
      if (other === undefined || generation > other.generation) best.set(number, { id, generation });
      else if (generation === other.generation) best.set(number, { id: null, generation });
    }
  }
  const owners = new Map<number, string>();
  for (const [number, { id }] of best) if (id !== null) owners.set(number, id);
  return owners;
}

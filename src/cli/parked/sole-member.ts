import { UmbusError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log, Membership, TopicPartition } from '../../ports/log.ts';

const POLL_MS = 200;

/** Membership of a group that has all of its partitions. */
export interface SoleMember extends AsyncDisposable {
  /** Aborted when partitions went to somebody else. */
  readonly lost: AbortSignal;
}

/** How to become one. */
export interface SoleMemberOptions {
  readonly clock: Clock;
  readonly patienceMs: number;
  readonly signal: AbortSignal;
}

/**
 * Joins a group and waits until it has every partition of `topics`, so that nobody else works on them while it is held. For logs without an owner, where only the group
 * says who runs. `patienceMs`: longer than the session of a dead member lasts. Errors: UMBUS_LOG_LOCKED when others keep theirs; UMBUS_LOG_* of the log.
 */
export async function becomeSoleMember(
  log: Log,
  group: string,
  topics: readonly string[],
  { clock, patienceMs, signal }: SoleMemberOptions,
): Promise<SoleMember> {
  const partitions = (await log.topics()).find(({ name }) => name === topics[0])?.partitions ?? 0;
  const held = new Set<number>();
  const lost = new AbortController();
  const drop = (gone: readonly TopicPartition[]): void => {
    for (const { partition } of gone) held.delete(partition);
    lost.abort();
  };
  let membership: Membership | null = null;
  membership = await log.join({
    group,
    topics,
    member: 'replay',
    listener: {
      assigned(given) {
        for (const { partition } of given) held.add(partition);
        membership?.pause(given);
      },
      revoking: drop,
      lost: drop,
    },
  });
  const joined = membership;
  const poll = (): Promise<unknown> => joined.poll({ maxBytes: 1, maxWaitMs: POLL_MS }, signal);
  try {
    for (const until = clock.now() + patienceMs; held.size < partitions; ) {
      await poll();
      if (signal.aborted || clock.now() >= until) throw othersRun(group, held.size, partitions);
    }
  } catch (error) {
    await joined[Symbol.asyncDispose]();
    throw error;
  }
  return keep(joined, poll, lost);
}

/** Goes on polling, which is how a log learns that others join. */
function keep(membership: Membership, poll: () => Promise<unknown>, lost: AbortController): SoleMember {
  let ended = false;
  const polling = (async () => {
    try {
      while (!ended && !lost.signal.aborted) await poll();
    } catch {
      // Whoever works meanwhile meets the same fault of the log, and says so.
      lost.abort();
    }
  })();
  return {
    lost: lost.signal,
    async [Symbol.asyncDispose]() {
      ended = true;
      await polling;
      await membership[Symbol.asyncDispose]();
    },
  };
}

function othersRun(group: string, held: number, all: number): UmbusError {
  return new UmbusError(
    'UMBUS_LOG_LOCKED',
    `Others work in the group ${group}: ${held} of ${all} partitions came to this process. Stop the appender of the line everywhere first.`,
    { details: { group, held, partitions: all } },
  );
}

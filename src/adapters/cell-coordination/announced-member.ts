import { randomUUID } from 'node:crypto';
import type { Clock } from '../../ports/clock.ts';
import type { Member } from '../../ports/coordination.ts';
import { byPath, type CellStore } from './cell-store.ts';
import { decodeMember, encodeRecord, isStale } from './lease-record.ts';

/** How long a member is shown after its last sign of life, and how often it gives one. */
const TTL_MS = 9_000;
const BEAT_MS = 3_000;
/** Where members lie in the store. */
const PLACE = 'members';

/** Shows a member until it is disposed, or `dead` aborts, after which nothing is written. The first sign is written when this resolves. */
export async function announceMember(
  store: CellStore,
  clock: Clock,
  member: Member,
  dead: AbortSignal,
): Promise<AsyncDisposable> {
  const path = `${PLACE}/${member.id}`;
  const id = randomUUID();
  const disposal = new AbortController();
  const end = AbortSignal.any([disposal.signal, dead]);
  const beat = (): Promise<void> =>
    store.note(
      path,
      encodeRecord({ info: member.info, id, ttlMs: TTL_MS, renewedMs: clock.now(), self: store.self }),
    );
  /** Whether a later member with the same id has taken the place. */
  const replaced = async (): Promise<boolean> => {
    const cell = await store.read(path);
    const record = cell === null ? null : decodeMember(cell.value);
    return record !== null && record.id !== id;
  };
  await beat();
  const beating = (async () => {
    while (!end.aborted) {
      await clock.sleep(BEAT_MS, end);
      if (end.aborted) return;
      // A sign that fails is followed by the next.
      if (await replaced().catch(() => false)) return;
      await beat().catch(() => {});
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      if (end.aborted) return;
      disposal.abort();
      await beating;
      try {
        if (!(await replaced())) await store.note(path, null);
      } catch {
        // It runs out by itself.
      }
    },
  };
}

/** Members that have shown themselves lately and are not known to be dead, by id. */
export async function liveMembers(store: CellStore, clock: Clock): Promise<readonly Member[]> {
  const members: Member[] = [];
  for (const cell of [...(await store.readAll(PLACE))].sort(byPath)) {
    const record = decodeMember(cell.value);
    if (record === null || (record.self !== null && store.isDead(record.self))) continue;
    if (isStale(record, clock.now())) continue;
    members.push({ id: cell.path.slice(PLACE.length + 1), info: record.info });
  }
  return members;
}

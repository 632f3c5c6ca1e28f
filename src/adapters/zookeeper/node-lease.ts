import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { CreateMode } from 'node-zookeeper-client';
import { messageOf } from '../../core/errors.ts';
import type { LeaseHolder } from '../../ports/coordination.ts';
import { HeldLease } from '../cell-coordination/held-lease.ts';
import type { Connection, Node } from './connection.ts';
import { code, codeOf, passes } from './errors.ts';
import type { Answer, Session } from './session.ts';

/** The server appends so many digits, which count up below one node. */
const SEQUENCE_DIGITS = 10;

/** Someone who wants a lease. */
export interface NodeContender {
  readonly connection: Connection;
  /** The node below which each contender has one. */
  readonly place: string;
  readonly name: string;
  readonly holder: string;
  readonly signal: AbortSignal;
}

/**
 * Queues for a lease and takes it: each contender makes an ephemeral node with the server's next number and waits for the one before it to go; the lowest
 * holds the lease. The server takes the nodes of a dead session away. The token is the id of the transaction that made the node, so it grows with the numbers.
 */
export async function queueFor(contender: NodeContender): Promise<HeldLease> {
  const { connection, place, signal } = contender;
  for (;;) {
    signal.throwIfAborted();
    const session = await connection.session(signal);
    try {
      const node = await enqueue(contender, session);
      const lease = await waitInQueue(contender, session, node);
      if (lease !== null) return lease;
    } catch (error) {
      if (signal.aborted) throw error;
      if (codeOf(error) === code.noNode) await connection.ensure(place);
      else if (passes(error)) await connection.pause();
      else throw error;
    }
  }
}

/** Who holds the lease of a place: the one whose node has the lowest number. */
export async function holderOf(
  connection: Connection,
  place: string,
  name: string,
): Promise<LeaseHolder | null> {
  for (;;) {
    const [lowest] = inOrder(await connection.children(place));
    if (lowest === undefined) return null;
    const node = await connection.node(`${place}/${lowest}`);
    if (node !== null) return { name, holder: node.data?.toString() ?? '', token: node.czxid };
  }
}

/** The name of the node that was made in this session. */
async function enqueue({ connection, place, holder }: NodeContender, session: Session): Promise<string> {
  const id = randomUUID();
  const prefix = `${place}/${id}-`;
  for (;;) {
    try {
      const path = await connection.once(
        place,
        [code.noNode],
        (client, answer: Answer<string>) =>
          client.create(prefix, Buffer.from(holder), CreateMode.EPHEMERAL_SEQUENTIAL, answer),
        session,
      );
      return path.slice(place.length + 1);
    } catch (error) {
      if (!passes(error) || session.over.aborted) throw error;
      await connection.pause();
      // The request may have been done before the connection was lost: the id tells.
      const made = (await connection.children(place)).find(child => child.startsWith(id));
      if (made !== undefined) return made;
    }
  }
}

/** Null when the node has gone, with its session or by another's hand. */
async function waitInQueue(
  contender: NodeContender,
  session: Session,
  own: string,
): Promise<HeldLease | null> {
  const { connection, place, signal } = contender;
  const stop = AbortSignal.any([signal, session.over, connection.closed]);
  try {
    for (;;) {
      stop.throwIfAborted();
      const revision = connection.revision;
      const queue = inOrder(await connection.children(place));
      const at = queue.indexOf(own);
      if (at === -1) return null;
      const before = queue[at - 1];
      if (before === undefined) return await hold(contender, session, own);
      // Only the one before is watched, so that the end of a lease wakes one contender and not all.
      const there = await connection.node(`${place}/${before}`, true);
      if (there !== null) await connection.changed(revision, stop);
    }
  } catch (error) {
    if (!session.over.aborted) void connection.remove(`${place}/${own}`).catch(() => {});
    throw error;
  }
}

async function hold(
  { connection, place, name }: NodeContender,
  session: Session,
  own: string,
): Promise<HeldLease | null> {
  const path = `${place}/${own}`;
  const node = await connection.node(path, true);
  if (node === null || session.over.aborted) return null;
  const released = new AbortController();
  const lease = new HeldLease(name, node.czxid, async () => {
    released.abort();
    if (session.over.aborted) return;
    // With the session gone, so is the node.
    await session
      .call<null>((client, answer) => client.remove(path, error => answer(error, null)))
      .catch(() => {});
  });
  session.over.addEventListener('abort', () => lease.lose(messageOf(session.over.reason)), { once: true });
  void guard(connection, path, node, lease, released.signal);
  return lease;
}

/** Notices when somebody takes the node away. */
async function guard(
  connection: Connection,
  path: string,
  { czxid }: Node,
  lease: HeldLease,
  released: AbortSignal,
): Promise<void> {
  const stop = AbortSignal.any([released, lease.lost]);
  while (!stop.aborted) {
    const revision = connection.revision;
    try {
      const node = await connection.node(path, true);
      if (node?.czxid !== czxid) lease.lose('its node was removed');
    } catch {
      // The session tells when nothing can be proven any more.
    }
    await connection.changed(revision, stop);
  }
}

function inOrder(names: readonly string[]): string[] {
  return [...names].sort((one, other) => numberOf(one) - numberOf(other));
}

function numberOf(name: string): number {
  return Number(name.slice(-SEQUENCE_DIGITS));
}

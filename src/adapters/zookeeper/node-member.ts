import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { CreateMode } from 'node-zookeeper-client';
import type { Member } from '../../ports/coordination.ts';
import type { Connection } from './connection.ts';
import { code, codeOf, passes } from './errors.ts';
import type { Answer, Session } from './session.ts';

/** Shows a member as an ephemeral node, made again in each new session, until it is disposed or a later one with the same id takes its place. */
export async function showMember(
  connection: Connection,
  place: string,
  member: Member,
): Promise<AsyncDisposable> {
  const path = `${place}/${encodeURIComponent(member.id)}`;
  const id = randomUUID();
  const data = Buffer.from(JSON.stringify({ id, info: member.info }));
  const end = new AbortController();
  const stop = AbortSignal.any([end.signal, connection.closed]);
  await connection.ensure(place);
  let session = await make(connection, path, data, id, true);
  const showing = (async () => {
    while (session !== null && !stop.aborted) {
      await ended(AbortSignal.any([stop, session.over]));
      if (stop.aborted) return;
      session = await make(connection, path, data, id, false).catch(() => session);
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      if (stop.aborted) return;
      end.abort();
      await showing;
      try {
        const node = await connection.node(path);
        if (node?.data != null && decode(node.data)?.id === id) await connection.remove(path);
      } catch {
        // It goes with the session.
      }
    },
  };
}

/** Who is shown, by id. */
export async function shownMembers(connection: Connection, place: string): Promise<readonly Member[]> {
  const names = await connection.children(place);
  const members = await Promise.all(
    names.map(async name => {
      const node = await connection.node(`${place}/${name}`);
      const decoded = node?.data == null ? null : decode(node.data);
      return decoded === null ? [] : [{ id: decodeURIComponent(name), info: decoded.info }];
    }),
  );
  return members.flat().sort((one, other) => (one.id < other.id ? -1 : 1));
}

/** The session that the node lives in; null when another has the place, unless it is to be replaced. */
async function make(
  connection: Connection,
  path: string,
  data: Buffer,
  id: string,
  replace: boolean,
): Promise<Session | null> {
  let own = replace;
  for (;;) {
    const session = await connection.session();
    try {
      if (own) await connection.remove(path);
      await connection.once(
        path,
        [code.nodeExists],
        (client, answer: Answer<string>) => client.create(path, data, CreateMode.EPHEMERAL, answer),
        session,
      );
      return session;
    } catch (error) {
      if (codeOf(error) !== code.nodeExists) {
        if (!passes(error)) throw error;
        await connection.pause();
        continue;
      }
      const node = await connection.node(path);
      // One of an earlier session of this process, or one that this request has made after all.
      own = replace || node?.data == null || decode(node.data)?.id === id;
      if (!own) return null;
    }
  }
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function decode(
  data: Buffer,
): { readonly id: string; readonly info: Readonly<Record<string, string>> } | null {
  try {
    // Written by showMember.
    return JSON.parse(data.toString()) as { id: string; info: Readonly<Record<string, string>> };
  } catch {
    return null;
  }
}

import { Buffer } from 'node:buffer';
import { setTimeout as delay } from 'node:timers/promises';
import type { Log, Membership, OutgoingRecord, Writer } from '../../src/ports/log.ts';

/** A way to a log that is slow for some. */
export interface SlowLog {
  /** The way itself; the log behind it stays as fast as it is. */
  readonly log: Log;
  /** What groups and writers with this name, or a name that begins with it and a dot, write takes so long from now on; null: as long as it takes. */
  slow(name: string | null, bytesPerSecond?: number): void;
}

/** Makes one: each write of those who are slowed reaches the log after the time that its bytes need, in order. */
export function slowLog(behind: Log): SlowLog {
  let slowed: { readonly name: string; readonly bytesPerSecond: number; readonly over: AbortSignal } | null =
    null;
  let over = new AbortController();
  const pass = async (who: string, outputs: readonly OutgoingRecord[]): Promise<void> => {
    if (slowed === null || (who !== slowed.name && !who.startsWith(`${slowed.name}.`))) return;
    const bytes = outputs.reduce((sum, { value }) => sum + (value?.byteLength ?? 0), 0);
    const wait = delay((bytes / slowed.bytesPerSecond) * 1000, undefined, { signal: slowed.over });
    await wait.catch(() => {});
  };
  return {
    log: {
      ensureTopics: specs => behind.ensureTopics(specs),
      topics: () => behind.topics(),
      offset: (partition, at) => behind.offset(partition, at),
      committed: (group, partitions) => behind.committed(group, partitions),
      groups: () => behind.groups(),
      read: (from, limits, signal) => behind.read(from, limits, signal),
      tail: (partition, count) => behind.tail(partition, count),
      openWriter: async id => slowWriter(await behind.openWriter(id), id, pass),
      join: async options => slowMembership(await behind.join(options), options.group, pass),
      [Symbol.asyncDispose]: () => behind[Symbol.asyncDispose](),
    },
    slow(name, bytesPerSecond = 1) {
      over.abort();
      over = new AbortController();
      slowed = name === null ? null : { name, bytesPerSecond, over: over.signal };
    },
  };
}

type Pass = (who: string, outputs: readonly OutgoingRecord[]) => Promise<void>;

function slowWriter(writer: Writer, id: string, pass: Pass): Writer {
  let last: Promise<void> = Promise.resolve();
  return {
    append(records) {
      const copied = records.map(copyOf);
      last = last.then(() => pass(id, copied)).then(() => writer.append(copied));
      return last;
    },
    async [Symbol.asyncDispose]() {
      await last.catch(() => {});
      await writer[Symbol.asyncDispose]();
    },
  };
}

function slowMembership(membership: Membership, group: string, pass: Pass): Membership {
  let last: Promise<void> = Promise.resolve();
  return {
    poll: (limits, signal) => membership.poll(limits, signal),
    pause: partitions => membership.pause(partitions),
    resume: partitions => membership.resume(partitions),
    seek: (partition, offset) => membership.seek(partition, offset),
    commit(commit) {
      const copied = { ...commit, outputs: commit.outputs.map(copyOf) };
      last = last.then(() => pass(group, copied.outputs)).then(() => membership.commit(copied));
      return last;
    },
    async [Symbol.asyncDispose]() {
      await last.catch(() => {});
      await membership[Symbol.asyncDispose]();
    },
  };
}

/** The writer may use its bytes again once it has called. */
function copyOf(record: OutgoingRecord): OutgoingRecord {
  const { key, value } = record;
  return {
    ...record,
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
  };
}

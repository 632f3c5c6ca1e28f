import type { Log, Writer } from '../../src/ports/log.ts';

/** A way to a log that can be closed: what is asked meanwhile waits, and what was asked before gets no answer. */
export interface Gate {
  readonly log: Log;
  close(): void;
  open(): void;
}

/** Puts a gate before a log. */
export function gated(log: Log): Gate {
  let opened = Promise.resolve();
  let open = (): void => {};
  /** Passes there and back only while the gate is open. */
  const through = async <T>(ask: () => Promise<T>): Promise<T> => {
    await opened;
    const answer = await ask();
    await opened;
    return answer;
  };
  const writerOf = (writer: Writer): Writer => ({
    append: records => through(() => writer.append(records)),
    [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
  });
  return {
    log: {
      ensureTopics: specs => through(() => log.ensureTopics(specs)),
      topics: () => through(() => log.topics()),
      offset: (partition, at) => through(() => log.offset(partition, at)),
      committed: (group, partitions) => through(() => log.committed(group, partitions)),
      groups: () => through(() => log.groups()),
      read: (from, options, signal) => through(() => log.read(from, options, signal)),
      tail: (partition, count) => through(() => log.tail(partition, count)),
      openWriter: id => through(async () => writerOf(await log.openWriter(id))),
      join: options => through(() => log.join(options)),
      async [Symbol.asyncDispose]() {},
    },
    close() {
      const { promise, resolve } = Promise.withResolvers<void>();
      opened = promise;
      open = resolve;
    },
    open: () => open(),
  };
}

import { UmbusError } from '../../src/core/errors.ts';
import { defineTopology, trusted } from '../../src/topology/definition.ts';
import { json, utf8 } from '../../src/topology/serdes.ts';
import { topic } from '../../src/topology/topic.ts';
import type { ExternalConnection, ExternalSource, Processor, Rec } from '../../src/topology/types.ts';

/** Several values of the source, in one record. */
export interface Run {
  readonly values: readonly number[];
}

/** Where runs are landed. */
export const runs = topic('runs', utf8, json<Run>());

/** A server of increasing numbers, which tests make fail. */
export class NumberServer {
  /** Numbers from 1 to here are there to be read. */
  last = 0;
  /** Thrown by every `open` while set. */
  refuse: UmbusError | null = null;
  /** Values that are damaged: the stage that meets one throws a retryable error. */
  readonly damaged = new Set<number>();
  /** Where each connection began. */
  readonly opened: number[] = [];
  readonly #waiting = new Set<() => void>();
  #generation = 0;

  /** Adds numbers and wakes readers. */
  grow(count: number): void {
    this.last += count;
    this.#wake();
  }

  /** Cuts all connections. */
  cut(): void {
    this.#generation += 1;
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /** As a topology reads it: from the number after the tail's last. */
  source(): ExternalSource<number, string, Run> {
    return { resumeFrom: runs, open: (tail, signal) => this.#open(tail, signal) };
  }

  async #open(tail: Rec<string, Run> | null, signal: AbortSignal): Promise<ExternalConnection<number>> {
    if (this.refuse !== null) throw this.refuse;
    let next = (tail?.value.values.at(-1) ?? 0) + 1;
    this.opened.push(next);
    const generation = this.#generation;
    const server = this;
    const over = (): boolean => signal.aborted || generation !== server.#generation;
    signal.addEventListener('abort', () => this.#wake());
    return {
      async read() {
        while (!over() && next > server.last) {
          await new Promise<void>(resolve => server.#waiting.add(resolve));
        }
        if (over()) return null;
        next += 1;
        return next - 1;
      },
      get ready() {
        return !over() && next <= server.last;
      },
      async [Symbol.asyncDispose]() {},
    };
  }
}

/** Gathers up to `size` numbers to a run, whose seq is its last number. */
function gather(server: NumberServer, size: number): Processor<null, number, string, Run> {
  const held: number[] = [];
  const land = (emit: (key: string, value: Run, options: { seq: Uint8Array }) => void): void => {
    const last = held.at(-1);
    if (last === undefined) return;
    const seq = Buffer.alloc(16);
    seq.writeUInt32BE(last, 12);
    emit(`run ${last}`, { values: held.splice(0) }, { seq });
  };
  return {
    on({ value }, _, emit) {
      if (server.damaged.has(value))
        throw new UmbusError('UMBUS_BINLOG_CHECKSUM', `Number ${value} is damaged.`);
      held.push(value);
      if (held.length >= size) land(emit);
    },
    every: { commit: (_, emit) => land(emit) },
  };
}

/** Lands the numbers of a server as runs. */
export const lander = defineTopology({
  name: 'lander',
  version: 1,
  config: trusted<{ readonly server: NumberServer; readonly size: number }>(),
  build(t, { server, size }) {
    t.external('numbers', server.source())
      .process('gather', {}, () => gather(server, size))
      .to('runs', runs);
  },
});

import type { RawRun } from '../change/raw-run.ts';
import type { ChangeConnection, ChangeSource, OpenFrom, StartPoint } from '../ports/change-source.ts';
import type { ExternalConnection, ExternalSource, Rec, Topic } from '../topology/types.ts';
import type { SourceOpened, SourceSignal } from './extract-signal.ts';

export interface ExtractSourceOptions {
  readonly source: ChangeSource;
  /** `<ds>`: its newest record is the only memory of where the line stands. */
  readonly topic: Topic<string, RawRun>;
  /** Where a line begins whose topic is empty. */
  readonly start: StartPoint;
}

/**
 * The extractor's external source: opens the dump right after what the tail of `<ds>` holds. The server is asked for the start of the transaction that was open
 * there, and the processor skips what came before the tail's end.
 * Errors: those of {@link ChangeSource.open} and {@link ChangeConnection.read}.
 */
export function extractSource(options: ExtractSourceOptions): ExternalSource<SourceSignal, string, RawRun> {
  return {
    resumeFrom: options.topic,
    open: async (tail, signal) => {
      const connection = await options.source.open(openFrom(tail, options.start), signal);
      return new SignalConnection(connection, openedSignal(connection, tail));
    },
  };
}

function openFrom(tail: Rec<string, RawRun> | null, start: StartPoint): OpenFrom {
  if (tail === null) return { kind: 'start', at: start };
  return { kind: 'resume', server: tail.value.server, at: tail.value.resume };
}

function openedSignal(connection: ChangeConnection, tail: Rec<string, RawRun> | null): SourceOpened {
  const { server, from, switched } = connection;
  if (tail === null) return { kind: 'open', server, from, epoch: 1, skipBefore: null };
  const { epoch, file, next } = tail.value;
  // Another server has files and offsets of its own: nothing of it can be told to be there already.
  return switched
    ? { kind: 'open', server, from, epoch: epoch + 1, skipBefore: null }
    : { kind: 'open', server, from, epoch, skipBefore: { file, position: next } };
}

class SignalConnection implements ExternalConnection<SourceSignal> {
  readonly #connection: ChangeConnection;
  #opened: SourceOpened | null;

  constructor(connection: ChangeConnection, opened: SourceOpened) {
    this.#connection = connection;
    this.#opened = opened;
  }

  get ready(): boolean {
    return this.#opened !== null || this.#connection.buffered > 0;
  }

  async read(): Promise<SourceSignal | null> {
    const opened = this.#opened;
    if (opened !== null) {
      this.#opened = null;
      return opened;
    }
    const bytes = await this.#connection.read();
    return bytes === null ? null : { kind: 'bytes', bytes };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#connection[Symbol.asyncDispose]());
  }
}

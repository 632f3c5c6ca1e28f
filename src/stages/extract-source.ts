import type { RawRun } from '../change/raw-run.ts';
import type { KnownChange } from '../columns/known.ts';
import type { ChangeConnection, ChangeSource, OpenFrom, StartPoint } from '../ports/change-source.ts';
import type { ExternalConnection, ExternalSource, Rec, Topic } from '../topology/types.ts';
import type { ColumnDesk } from './extract-columns.ts';
import { type LookedUp, lookUp } from './extract-lookup.ts';
import type { ColumnsOpened, SourceOpened, SourceSignal } from './extract-signal.ts';

/** The columns of tables, as the extractor keeps them for itself. */
export interface ExtractColumns {
  /** `<ds>_columns`. */
  readonly topic: Topic<string, KnownChange['value']>;
  readonly desk: ColumnDesk;
  readonly schemas: readonly string[];
}

export interface ExtractSourceOptions {
  readonly source: ChangeSource;
  /** `<ds>`: its newest record is the only memory of where the line stands. */
  readonly topic: Topic<string, RawRun>;
  /** Where a line begins whose topic is empty. */
  readonly start: StartPoint;
  readonly columns: ExtractColumns;
}

/**
 * The extractor's external source: opens the dump right after what the tail of `<ds>` holds. The server is asked for the start of the transaction that was open
 * there, and the processor skips what came before the tail's end.
 * Errors: those of {@link ChangeSource.open} and {@link ChangeConnection.read}.
 */
export function extractSource(
  options: ExtractSourceOptions,
): ExternalSource<SourceSignal, string, RawRun, KnownChange['value']> {
  const { source, topic, start, columns } = options;
  return {
    resumeFrom: topic,
    keeps: columns.topic,
    open: async (tail, signal, kept) => {
      const known = [...kept].map(([key, value]) => ({ key: keyOf(key), value }));
      const from = openFrom(tail, start);
      const opened = await openLooked({ source, columns, tail }, from, signal);
      const { connection, looked } = opened;
      return new SignalConnection(
        connection,
        openedSignal(connection, tail, { kept: known, looked, named: connection.named }),
      );
    },
  };
}

interface Opening {
  readonly source: ChangeSource;
  readonly columns: ExtractColumns;
  readonly tail: Rec<string, RawRun> | null;
}

/**
 * Opens the dump, after a look at the server where one is wanted: for a table that was met, or at the first start of a line whose server does not name columns. A look reads
 * the binlog on a connection of its own, and a server serves one only to each replica, so the dump is not open meanwhile.
 */
async function openLooked(
  { source, columns: { desk, schemas }, tail }: Opening,
  from: OpenFrom,
  signal: AbortSignal,
): Promise<{ readonly connection: ChangeConnection; readonly looked: LookedUp | null }> {
  const { wanted } = desk;
  if (wanted !== null && tail !== null) {
    const passed = { file: tail.value.file, position: tail.value.next };
    const looked = await lookUp({ source, schemas, wanted, from, passed }, signal);
    desk.wanted = null;
    return { connection: await source.open(from, signal), looked };
  }
  const connection = await source.open(from, signal);
  if (tail !== null || connection.named) return { connection, looked: null };
  await connection[Symbol.asyncDispose]();
  const { file, position, gtid } = connection.from;
  const at = file === '' ? { gtid } : { file, position };
  const again: OpenFrom = { kind: 'start', at };
  const looked = await lookUp({ source, schemas, wanted, from: again, passed: null }, signal);
  return { connection: await source.open(again, signal), looked };
}

/** The key of a record of `<ds>_columns`: JSON of the schema's and the table's name. */
function keyOf(key: string): readonly string[] {
  // Written by the processor alone.
  return JSON.parse(key) as readonly string[];
}

function openFrom(tail: Rec<string, RawRun> | null, start: StartPoint): OpenFrom {
  if (tail === null) return { kind: 'start', at: start };
  return { kind: 'resume', server: tail.value.server, at: tail.value.resume };
}

function openedSignal(
  connection: ChangeConnection,
  tail: Rec<string, RawRun> | null,
  columns: ColumnsOpened,
): SourceOpened {
  const { server, from, switched } = connection;
  if (tail === null) return { kind: 'open', server, from, epoch: 1, skipBefore: null, columns };
  const { epoch, file, next } = tail.value;
  // Another server has files and offsets of its own: nothing of it can be told to be there already.
  return switched
    ? { kind: 'open', server, from, epoch: epoch + 1, skipBefore: null, columns }
    : { kind: 'open', server, from, epoch, skipBefore: { file, position: next }, columns };
}

class SignalConnection implements ExternalConnection<SourceSignal> {
  readonly #connection: ChangeConnection;
  #opened: SourceOpened | null;
  /** How the connection has ended: null, or what it threw. */
  #end: { readonly error: unknown } | null = null;

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
    if (this.#end !== null) {
      if (this.#end.error === null) return null;
      throw this.#end.error;
    }
    try {
      const bytes = await this.#connection.read();
      if (bytes !== null) return { kind: 'bytes', bytes };
      this.#end = { error: null };
    } catch (error) {
      this.#end = { error };
    }
    return { kind: 'ended' };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#connection[Symbol.asyncDispose]());
  }
}

import type { RawRun } from '../change/raw-run.ts';
import { seqOf } from '../change/seq.ts';
import type { KnownChange } from '../columns/known.ts';
import { isUmbusError, UmbusError } from '../core/errors.ts';
import type { Emit, Processor, ProcessorContext } from '../topology/types.ts';
import { DumpExtraction } from './extract-dump.ts';
import type { ExtractOptions } from './extract-options.ts';
import type { SourceOpened, SourceSignal } from './extract-signal.ts';

/** What the extractor emits: a run; and behind it, with the same seq, what became known of columns by its end. */
export type Extracted =
  | { readonly kind: 'run'; readonly run: RawRun }
  | { readonly kind: 'columns'; readonly known: KnownChange['value'] };

type Context = ProcessorContext<Record<never, never>>;

const DEFAULT_PROGRESS_BYTES = 64 << 20;
const DEFAULT_PROGRESS_MS = 10_000;

/**
 * The extractor: binlog bytes in, runs of raw events out, keyed `<file>:<position>`, in the order of the binlog. Rows are not decoded. What becomes known of columns is
 * keyed `[schema]` or `[schema,table]`.
 *
 * A bad event stops the dump. A call that throws has emitted nothing: when runs were closed before the bad event, that call emits them and the next one throws, be it for
 * bytes, a commit or the end of the connection. After an error only an `open` signal goes on.
 * Errors: UMBUS_BINLOG_*, UMBUS_SOURCE_*, each with file and position. The retryable ones pass when the dump is opened anew.
 */
export function createExtractor(options: ExtractOptions): Processor<null, SourceSignal, string, Extracted> {
  return new Extractor(options);
}

class Extractor implements Processor<null, SourceSignal, string, Extracted> {
  readonly #dump: DumpExtraction;
  readonly #progressBytes: number;
  readonly #progressMs: number;
  #fault: { readonly error: unknown } | null = null;
  #epoch = 0;
  #emittedFile = '';
  #emittedPosition = 0;
  #emittedMs = 0;
  readonly every = {
    commit: (context: Context, emit: Emit<string, Extracted>): void => {
      this.#throwFault();
      this.#dump.closeRun(context.now());
      this.#emitClosed(context.now(), emit);
    },
  };

  constructor(options: ExtractOptions) {
    this.#dump = new DumpExtraction(options);
    this.#progressBytes = options.progressBytes ?? DEFAULT_PROGRESS_BYTES;
    this.#progressMs = options.progressMs ?? DEFAULT_PROGRESS_MS;
  }

  on(record: { readonly value: SourceSignal }, context: Context, emit: Emit<string, Extracted>): void {
    const signal = record.value;
    const nowMs = context.now();
    if (signal.kind === 'open') this.#open(signal, nowMs);
    else if (signal.kind === 'bytes') this.#read(signal.bytes, nowMs, emit);
    else this.#end(nowMs, emit);
  }

  /** Lands what has come of an open transaction: otherwise a connection that is always cut within one would never get through it. */
  #end(nowMs: number, emit: Emit<string, Extracted>): void {
    // What landed before a bad event may make the line go on behind it, so that nobody would hear of it again.
    this.#throwFault();
    this.#dump.closeAll(nowMs);
    this.#emitClosed(nowMs, emit);
  }

  #open(signal: SourceOpened, nowMs: number): void {
    this.#fault = null;
    this.#epoch = signal.epoch;
    this.#emittedFile = signal.skipBefore?.file ?? signal.from.file;
    this.#emittedPosition = signal.skipBefore?.position ?? signal.from.position;
    this.#emittedMs = nowMs;
    this.#dump.open(signal);
  }

  #read(bytes: Uint8Array, nowMs: number, emit: Emit<string, Extracted>): void {
    this.#throwFault();
    try {
      this.#dump.read(bytes, nowMs);
    } catch (cause) {
      const error = withPlace(cause, this.#dump);
      this.#fault = { error };
      // Where the stream contradicts itself, the positions before the contradiction may be wrong too: they are read again.
      if (isUmbusError(error, 'UMBUS_SOURCE_PROTOCOL')) this.#dump.discardRun();
      else this.#dump.closeAll(nowMs);
      if (isUmbusError(error, 'UMBUS_SOURCE_ROLLED_BACK')) this.#dump.closeProgress(nowMs);
      if (this.#emitClosed(nowMs, emit) === 0) throw error;
      return;
    }
    if (this.#progressIsDue(nowMs)) this.#dump.closeProgress(nowMs);
    this.#emitClosed(nowMs, emit);
  }

  #throwFault(): void {
    if (this.#fault !== null) throw this.#fault.error;
  }

  #progressIsDue(nowMs: number): boolean {
    return (
      this.#dump.file !== this.#emittedFile ||
      this.#dump.position - this.#emittedPosition >= this.#progressBytes ||
      nowMs - this.#emittedMs >= this.#progressMs
    );
  }

  #emitClosed(nowMs: number, emit: Emit<string, Extracted>): number {
    const closed = this.#dump.takeClosed();
    for (const { run, fileNumber, position, columns } of closed) {
      const options = {
        seq: seqOf({ epoch: this.#epoch, fileNumber, position }),
        timestampMs: Math.floor(run.captured / 1000),
      };
      emit(`${run.file}:${run.position}`, { kind: 'run', run }, options);
      for (const { key, value } of columns)
        emit(JSON.stringify(key), { kind: 'columns', known: value }, options);
      this.#emittedFile = run.file;
      this.#emittedPosition = run.next;
      this.#emittedMs = nowMs;
    }
    return closed.length;
  }
}

function withPlace(cause: unknown, dump: DumpExtraction): unknown {
  if (!(cause instanceof UmbusError)) return cause;
  return new UmbusError(cause.code, `${cause.message} Read so far: ${dump.file}:${dump.position}.`, {
    cause,
    details: { ...cause.details, file: dump.file, position: dump.position },
  });
}

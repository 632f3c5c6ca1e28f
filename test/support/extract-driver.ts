/** Runs the extractor stage by itself: signals in, emitted runs out. */
import type { RawRun } from '../../src/change/raw-run.ts';
import type { KnownChange } from '../../src/columns/known.ts';
import { createExtractor, type Extracted } from '../../src/stages/extract.ts';
import type { ExtractOptions } from '../../src/stages/extract-options.ts';
import type { SourceOpened, SourceSignal } from '../../src/stages/extract-signal.ts';
import type { EmitOptions, Processor, ProcessorContext, Rec } from '../../src/topology/types.ts';

export interface EmittedRun {
  readonly key: string;
  readonly run: RawRun;
  readonly options: EmitOptions;
}

export class ExtractDriver {
  readonly emitted: EmittedRun[] = [];
  /** What the stage has kept of columns, by its key. */
  readonly known = new Map<string, KnownChange['value']>();
  /** Milliseconds that the stage sees as the present. */
  nowMs = 1_700_000_000_000;
  readonly #processor: Processor<null, SourceSignal, string, Extracted>;
  readonly #context: ProcessorContext<Record<never, never>>;

  constructor(options: Partial<ExtractOptions> = {}) {
    this.#processor = createExtractor({
      subscribed: schema => schema === 'shop',
      subscribedSchema: schema => schema === 'shop',
      runBytes: 262_144,
      ...options,
    });
    this.#context = {
      stores: {},
      task: 'extractor-0',
      partition: 0,
      now: () => this.nowMs,
      park: () => {
        throw new Error('The extractor parks nothing.');
      },
    };
  }

  open(opened: Partial<SourceOpened> = {}): this {
    this.#on({
      kind: 'open',
      server: { flavor: 'mysql', version: '9.7.4', id: 'server-1' },
      from: { file: 'bin.000001', position: 4, gtid: '' },
      epoch: 1,
      skipBefore: null,
      columns: null,
      ...opened,
    });
    return this;
  }

  /** Hands over bytes, in one chunk or in chunks of `chunkBytes`. */
  bytes(bytes: Uint8Array, chunkBytes = bytes.length): this {
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      this.#on({ kind: 'bytes', bytes: bytes.subarray(at, at + chunkBytes) });
    }
    return this;
  }

  commit(): this {
    this.#processor.every?.['commit']?.(this.#context, this.#emit);
    return this;
  }

  /** Runs that have events, in order. */
  get runs(): RawRun[] {
    return this.emitted.map(each => each.run).filter(run => run.events.length > 0);
  }

  readonly #emit = (key: string, value: Extracted, options: EmitOptions = {}): void => {
    if (value.kind === 'run') this.emitted.push({ key, run: value.run, options });
    else this.known.set(key, value.known);
  };

  /** The connection ends. */
  end(): this {
    this.#on({ kind: 'ended' });
    return this;
  }

  #on(value: SourceSignal): void {
    const record: Rec<null, SourceSignal> = {
      key: null,
      value,
      topic: '',
      offset: 0n,
      timestampMs: this.nowMs,
      seq: new Uint8Array(),
      headers: {},
    };
    this.#processor.on(record, this.#context, this.#emit);
  }
}

/** The events of a run, each with its table: `-` for a transaction's start, `schema.table`, or `schema.` for a statement. */
export function eventsOf(run: RawRun): { readonly table: string; readonly event: Uint8Array }[] {
  const events: { readonly table: string; readonly event: Uint8Array }[] = [];
  let at = 0;
  for (let i = 0; i + 1 < run.spans.length; i += 2) {
    const table = run.tables[run.spans[i] ?? -1];
    const name = table === undefined ? '-' : `${table.schema}.${table.table}`;
    const end = at + (run.spans[i + 1] ?? 0);
    while (at < end) {
      const size = run.events.readUInt32LE(at + 9);
      events.push({ table: name, event: run.events.subarray(at, at + size) });
      at += size;
    }
  }
  return events;
}

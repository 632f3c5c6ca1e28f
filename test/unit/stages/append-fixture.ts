/** Runs of hand-made events through the appender, with a store in memory. */
import { Buffer } from 'node:buffer';
import { decodeReference, type ParkedReference } from '../../../src/change/parked-reference.ts';
import { decodeRawRun, type RawRun } from '../../../src/change/raw-run.ts';
import { readUms } from '../../../src/consumer/index.ts';
import type { Headers } from '../../../src/ports/log.ts';
import {
  type AppendOptions,
  type AppendOutput,
  createAppender,
  type SignalState,
  type TableState,
} from '../../../src/stages/append.ts';
import type { PullState } from '../../../src/stages/pull-state.ts';
import type { EmitOptions } from '../../../src/topology/types.ts';
import type { SchemaNotice } from '../../../src/ums/schema-notice.ts';
import type { TableSchema } from '../../../src/ums/table-schema.ts';
import type { UmsMessage } from '../../../src/ums/types.ts';
import { type BinlogBuilder, type TableSpec, transaction } from '../../support/binlog-builder.ts';
import { ExtractDriver } from '../../support/extract-driver.ts';
import { memoryStore } from '../../support/memory-store.ts';
import { image, le, sized } from '../rows/rows-fixture.ts';

/** Table `shop.<name>` with an INT id and a VARCHAR name. */
export function table(name: string, tableId = 7, options: Partial<TableSpec> = {}): TableSpec {
  return {
    tableId,
    schema: 'shop',
    table: name,
    columns: [
      { name: 'id', type: 3 },
      { name: 'name', type: 15, meta: 200, nullable: true },
    ],
    primaryKey: [0],
    ...options,
  };
}

/** A row image of such a table. */
export function row(id: number, name: string | null): Buffer {
  return image(le(id, 4), name === null ? null : sized(name, 1));
}

/** An insert of rows in a transaction of its own. */
export function insert(builder: BinlogBuilder, spec: TableSpec, ...rows: readonly Uint8Array[]): void {
  transaction(builder, spec, Buffer.concat(rows));
}

/** The runs that the extractor makes of what was built so far. */
export function runsOf(builder: BinlogBuilder, runBytes = 262_144): RawRun[] {
  return new ExtractDriver({ runBytes, signal: schema => schema === 'dbus' })
    .open({ server: { flavor: builder.flavor, version: '', id: 'server-1' } })
    .bytes(builder.packets())
    .commit().runs;
}

/** The one run of what was built. */
export function runOf(builder: BinlogBuilder): RawRun {
  const [run, ...more] = runsOf(builder);
  if (run === undefined || more.length > 0) throw new Error(`${more.length + 1} runs instead of one`);
  return run;
}

export interface Emitted {
  readonly key: string;
  readonly output: AppendOutput;
  readonly options: EmitOptions | undefined;
}

/** An appender task of partition 3. */
export class AppendDriver {
  readonly states = new Map<string, TableState>();
  readonly schemas = new Map<string, TableSchema>();
  readonly signals = new Map<string, SignalState>();
  readonly pulls = new Map<string, PullState>();
  readonly changed = new Map<string, string>();
  readonly held = new Map<string, Uint8Array>();
  readonly notices: SchemaNotice[] = [];
  readonly emitted: Emitted[] = [];
  readonly parked: { readonly key: string; readonly run: RawRun; readonly error: unknown }[] = [];
  /** What was parked by reference. */
  readonly references: ParkedReference[] = [];
  readonly parkedBytes: Uint8Array[] = [];
  readonly #processor;

  constructor(options: Partial<AppendOptions> = {}) {
    this.#processor = createAppender({ ds: 'web', ...options });
  }

  /** `topic`: the one that the run comes from. */
  run(run: RawRun, topic = 'web.shop', headers: Headers = {}): this {
    const { states, schemas, signals } = this;
    this.#processor.on(
      {
        key: `${run.file}:${run.position}`,
        value: run,
        topic,
        offset: 0n,
        timestampMs: 0,
        seq: new Uint8Array(16),
        headers,
      },
      {
        stores: {
          tables: memoryStore(states),
          schemas: memoryStore(schemas),
          signals: memoryStore(signals),
          pulls: memoryStore(this.pulls),
          changed: memoryStore(this.changed),
          held: memoryStore(this.held),
        },
        task: 'appender-3',
        partition: 3,
        now: () => 0,
        park: (key, bytes, error) => {
          this.parkedBytes.push(bytes);
          const reference = decodeReference(bytes);
          if (reference === null) this.parked.push({ key, run: decodeRawRun(bytes), error });
          else this.references.push(reference);
        },
      },
      (key, output, options) => {
        if (output.notice === true) this.notices.push(JSON.parse(output.value.toString('utf8')));
        else this.emitted.push({ key, output, options });
      },
    );
    return this;
  }

  /** What the stores have of a table. */
  before(key: string): { readonly state: TableState; readonly columns: TableSchema | null } {
    const state = this.states.get(key);
    if (state === undefined) throw new Error(`Nothing is known of ${key}.`);
    return { state, columns: this.schemas.get(key) ?? null };
  }

  get messages(): UmsMessage[] {
    return this.emitted.map(({ output }) => readUms(output.value));
  }

  /** Messages in short: `<type> <table>.<version>` and the rows without system columns, or the reason. */
  get story(): unknown[] {
    return this.messages.map(storyOf);
  }
}

/** A message in short; see {@link AppendDriver.story}. */
export function storyOf({ protocol, schema, payload }: UmsMessage): unknown[] {
  const [, , , name, version] = schema.namespace.split('.');
  if (protocol.type === 'data_increment_termination') return [`end ${name}.${version}`, schema.reason];
  return [`${name}.${version}`, ...payload.map(({ tuple }) => [tuple[2], ...tuple.slice(4)])];
}

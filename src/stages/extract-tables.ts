import { Buffer } from 'node:buffer';
import { parseTableName, tableMapFingerprint } from '../binlog/table-map.ts';
import type { RawTable } from '../change/raw-run.ts';
import { UmbusError } from '../core/errors.ts';

/** A dictionary entry that runs share, and its place in the run that used it last. */
export interface RunTable {
  readonly entry: RawTable;
  /** Number of that run. */
  run: number;
  index: number;
}

/** The newest table map of one table id. */
export interface KnownTable {
  readonly tableId: number;
  readonly schema: string;
  readonly table: string;
  readonly subscribed: boolean;
  /** Of a subscribed table: whether only inserted rows are wanted. */
  readonly insertsOnly: boolean;
  /** Null while the table is not subscribed, or no row event has come. */
  shared: RunTable | null;
  /** Body of the TABLE_MAP event. */
  readonly map: Buffer;
  readonly mapView: DataView;
}

/** Ids beyond this many are forgotten at the next transaction: a bound for servers that open tables without end. */
const MAX_TABLES = 10_000;
const HIGH = 0x1_0000_0000;
const NO_BYTES = Buffer.alloc(0);
const TABLE_ID_BYTES = 6;
/** Row events with this table id only end a statement (`Rows_event`, dummy events); the forms are those of both flavors. */
const dummyTableIds: ReadonlySet<number> = new Set([0xff_ffff, 0xffff_ffff, 0xffff_ffff_ffff]);

/** The table maps of one binlog file, by table id. */
export class ExtractTables {
  readonly #subscribed: (schema: string, table: string) => boolean;
  readonly #signal: (schema: string, table: string) => boolean;
  readonly #known = new Map<number, KnownTable>();
  readonly #shared = new Map<string, RunTable>();
  /** Seen or asked for last: most row events are of the table map right before them. */
  #last: KnownTable | null = null;

  constructor(
    subscribed: (schema: string, table: string) => boolean,
    signal: (schema: string, table: string) => boolean = () => false,
  ) {
    this.#subscribed = subscribed;
    this.#signal = signal;
  }

  /** Forgets all, as at a new file or connection: ids may then mean other tables. */
  clear(): void {
    this.#known.clear();
    this.#shared.clear();
    this.#last = null;
  }

  /** To be called where no table map is in force: between transactions. */
  trim(): void {
    if (this.#known.size > MAX_TABLES) this.clear();
  }

  get(tableId: number): KnownTable | undefined {
    return this.#known.get(tableId);
  }

  /** The table of a row event whose body is `[start, end)`; null for one that has no rows. Errors: UMBUS_BINLOG_TRUNCATED, UMBUS_SOURCE_PROTOCOL for a table that no map before it has. */
  ofRows(view: DataView, start: number, end: number): KnownTable | null {
    if (end - start < TABLE_ID_BYTES) throw truncated('row event');
    const tableId = tableIdAt(view, start);
    if (this.#last?.tableId === tableId) return this.#last;
    const known = this.#known.get(tableId);
    if (known !== undefined) {
      this.#last = known;
      return known;
    }
    if (dummyTableIds.has(tableId)) return null;
    throw new UmbusError(
      'UMBUS_SOURCE_PROTOCOL',
      `A row event names table id ${tableId}, which no TABLE_MAP event before it has: the dump began inside a statement.`,
      { details: { tableId } },
    );
  }

  /**
   * Takes a TABLE_MAP event whose body is `[start, end)`. A map equal to the last one of its id costs a comparison, nothing else. Errors: UMBUS_BINLOG_TRUNCATED, UMBUS_BINLOG_TABLE_MAP.
   */
  see(bytes: Buffer, view: DataView, start: number, end: number): void {
    if (end - start < TABLE_ID_BYTES) throw truncated('TABLE_MAP event');
    const tableId = tableIdAt(view, start);
    const known = this.#known.get(tableId);
    this.#last =
      known !== undefined && sameMap(known, view, start, end)
        ? known
        : this.#take(tableId, Buffer.from(bytes.subarray(start, end)));
  }

  #take(tableId: number, map: Buffer): KnownTable {
    const { schema, table } = parseTableName(map);
    const signal = this.#signal(schema, table);
    const fresh: KnownTable = {
      tableId,
      schema,
      table,
      subscribed: signal || this.#subscribed(schema, table),
      insertsOnly: signal,
      shared: null,
      map,
      mapView: new DataView(map.buffer, map.byteOffset, map.length),
    };
    this.#known.set(tableId, fresh);
    return fresh;
  }

  /**
   * The dictionary entry of a table's rows. Tables that were opened again have new ids but the same entry. `columnsOf` is asked once for each table map; errors are its own.
   */
  shared(known: KnownTable, columnsOf: (known: KnownTable) => string): RunTable {
    if (known.shared !== null) return known.shared;
    const { schema, table, map } = known;
    const columns = columnsOf(known);
    const fingerprint = tableMapFingerprint(map, columns);
    const key = fingerprint.toString('hex');
    let shared = this.#shared.get(key);
    if (shared === undefined) {
      shared = { entry: { schema, table, fingerprint, map, columns }, run: -1, index: -1 };
      this.#shared.set(key, shared);
    }
    known.shared = shared;
    return shared;
  }

  /** The dictionary entry of statements of a schema. */
  statements(schema: string): RunTable {
    const key = `statements of ${schema}`;
    let shared = this.#shared.get(key);
    if (shared === undefined) {
      shared = {
        entry: { schema, table: '', fingerprint: NO_BYTES, map: NO_BYTES, columns: '' },
        run: -1,
        index: -1,
      };
      this.#shared.set(key, shared);
    }
    return shared;
  }
}

/** The table id of a TABLE_MAP or row event whose body begins at `at`. */
export function tableIdAt(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint16(at + 4, true) * HIGH;
}

function sameMap(known: KnownTable, view: DataView, start: number, end: number): boolean {
  const length = end - start;
  const mine = known.mapView;
  if (mine.byteLength !== length) return false;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    if (mine.getInt32(i, true) !== view.getInt32(start + i, true)) return false;
  }
  for (; i < length; i++) if (mine.getUint8(i) !== view.getUint8(start + i)) return false;
  return true;
}

/** The error for an event that is too short for its fields. */
export function truncated(what: string): UmbusError {
  return new UmbusError('UMBUS_BINLOG_TRUNCATED', `The ${what} ends before its fields do.`);
}

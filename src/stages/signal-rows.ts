import { Buffer } from 'node:buffer';
import { compileRows, type RowWriter } from '../binlog/rows/compile.ts';
import { isInsert, rowsStart } from '../binlog/rows/rows-event.ts';
import { parseTableMap } from '../binlog/table-map.ts';
import type { TableMap } from '../binlog/table-map-types.ts';
import type { RawTable } from '../change/raw-run.ts';
import { SIGNAL_COLUMNS, type SignalKind, type SignalRow } from '../change/signal-tables.ts';
import { SYSTEM_FIELDS } from '../ums/message.ts';
import { TupleBuffer } from '../ums/tuple-buffer.ts';
import { TuplePrefix } from '../ums/tuple-prefix.ts';
import { UTC } from '../ums/zone.ts';

/** Decoders kept; a source has one for each of its few tables, and another after each of their rare changes. */
const KEPT = 16;
/** utf8mb4_general_ci: for servers whose binlog does not say how text is written. */
const UTF8MB4 = 45;

/** Decodes signal rows into plain objects, through JSON text: they are few. Keeps decoders, nothing that a result depends on. */
export class SignalDecoder {
  readonly #prefix = new TuplePrefix(UTC);
  readonly #writers = new Map<string, RowWriter>();

  /**
   * The inserted rows of a row event, `[start, end)` of `bytes` without its checksum; [] for other events. Texts that are absent or no text are ''. Columns are
   * found by name, or by their order where the binlog has no names.
   * Errors: UMBUS_BINLOG_*, for a table that was made otherwise.
   */
  rows(
    table: RawTable,
    kind: SignalKind,
    event: {
      readonly bytes: Buffer;
      readonly view: DataView;
      readonly start: number;
      readonly end: number;
      readonly type: number;
    },
  ): readonly SignalRow[] {
    const { bytes, view, start, end, type } = event;
    if (!isInsert(type)) return [];
    const writer = this.#writerOf(table, kind);
    const at = rowsStart(bytes, view, start, end, type, writer.columnCount);
    const from = at < 0 ? ~at : at;
    const { rows } = at < 0 ? writer.partial(from, type) : writer;
    const out = new TupleBuffer(1024);
    this.#prefix.time(0, 0);
    this.#prefix.event(0, 'i');
    for (let o = from; o < end; ) {
      o = rows(bytes, view, o, end, out, this.#prefix, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    }
    const text = out.bytes.toString('utf8', 0, Math.max(0, out.length - 1));
    // What the writer wrote: one object with a tuple for each row.
    const written = JSON.parse(`[${text}]`) as { readonly tuple: readonly unknown[] }[];
    return written.map(({ tuple }) => rowOf(kind, byName(writer, tuple)));
  }

  #writerOf(table: RawTable, kind: SignalKind): RowWriter {
    const fingerprint = Buffer.from(table.fingerprint).toString('hex');
    const known = this.#writers.get(fingerprint);
    if (known !== undefined) return known;
    const writer = compileRows(withNames(parseTableMap(table.map), kind), { zone: UTC });
    if (this.#writers.size >= KEPT) this.#writers.clear();
    this.#writers.set(fingerprint, writer);
    return writer;
  }
}

/** The map with what umbus itself knows of its tables, where the binlog does not say it. */
function withNames(map: TableMap, kind: SignalKind): TableMap {
  if (map.named) return map;
  return {
    ...map,
    primaryKey: map.primaryKey ?? [0],
    columns: map.columns.map((column, i) => ({
      ...column,
      name: column.name ?? SIGNAL_COLUMNS[kind][i] ?? `column ${i + 1}`,
      unsigned: column.unsigned ?? false,
      collation: column.collation ?? UTF8MB4,
    })),
  };
}

function byName(writer: RowWriter, tuple: readonly unknown[]): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const [i, { name }] of writer.fields.entries()) {
    const value = tuple[SYSTEM_FIELDS.length + i];
    if (typeof value === 'string') values.set(name.toLowerCase(), value);
    else if (typeof value === 'number') values.set(name.toLowerCase(), String(value));
  }
  return values;
}

function rowOf(kind: SignalKind, values: ReadonlyMap<string, string>): SignalRow {
  const text = (name: string): string => values.get(name) ?? '';
  const packet = text('packet');
  const id = text('id');
  switch (kind) {
    case 'heartbeat': {
      const place = { schema: text('schema_name'), table: text('table_name') };
      return { kind, id, ds: text('ds_name'), ...place, packet };
    }
    case 'watermark':
      return { kind, id, ds: text('ds'), mark: text('kind'), token: text('token'), packet };
  }
}

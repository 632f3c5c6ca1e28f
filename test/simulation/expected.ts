/** What the line must publish of a workload, worked out from what the server did alone. */
import { eventText } from './binlog-store.ts';
import { type Column, type Row, umsTypes } from './columns.ts';
import { rowObject } from './model-table.ts';
import type { Fact } from './workload.ts';

/** What must come out for one table. */
export interface ExpectedTable {
  /** Rows and terminations in order, as {@link rowText} and {@link endText} give them. */
  readonly changes: string[];
  /** Events that must be parked, as `eventText` gives them, in order. */
  readonly parked: string[];
}

/** A row of a message as text. */
export function rowText(row: {
  readonly version: number;
  readonly op: string;
  readonly id: string;
  readonly uid: string;
  readonly ts: string;
  readonly values: Readonly<Record<string, unknown>>;
}): string {
  return `${row.version} ${row.op} ${row.id} ${row.uid} ${row.ts} ${JSON.stringify(row.values)}`;
}

/** A termination as text. */
export function endText(version: number, reason: string, ts: string): string {
  return `${version} ends: ${reason} ${ts}`;
}

interface Progress extends ExpectedTable {
  version: number;
  /** Columns of the rows published last, in any order; null before the first and after a DROP. */
  shape: string | null;
}

const EPOCH = '1';

/** The changes of each table, by `schema.table`, from the facts that the line reads. */
export function expectedTables(
  facts: readonly Fact[],
  withBeforeImages: (table: string) => boolean,
): ReadonlyMap<string, ExpectedTable> {
  const tables = new Map<string, Progress>();
  for (const fact of facts) {
    const name = `${fact.schema}.${fact.table}`;
    const table = tables.get(name) ?? { changes: [], parked: [], version: 0, shape: null };
    tables.set(name, table);
    const { what } = fact;
    const bad = what.kind === 'rows' ? what.bad : null;
    if (table.parked.length > 0 || bad === 'map') park(table, fact);
    else if (what.kind === 'emptied') {
      if (table.shape === null) continue;
      end(table, what.reason, fact.time);
      if (what.reason === 'drop') table.shape = null;
    } else {
      // The table map is good even where the rows are not, so the version ends by what it says.
      const shape = shapeOf(what.columns);
      if (table.shape !== null && table.shape !== shape) end(table, 'schema', fact.time);
      table.shape = shape;
      if (bad === 'rows') park(table, fact);
      else pushRows(table, fact, what, withBeforeImages(name));
    }
  }
  return tables;
}

function park(table: Progress, { event }: Fact): void {
  table.parked.push(eventText(event.file, event.bytes));
}

function end(table: Progress, reason: string, time: string): void {
  table.changes.push(endText(table.version, reason, time));
  table.version += 1;
}

function shapeOf(columns: readonly Column[]): string {
  return columns
    .map(({ name, kind }) => `${name} ${umsTypes[kind]}`)
    .sort()
    .join();
}

function pushRows(
  table: Progress,
  fact: Fact,
  what: Extract<Fact['what'], { readonly kind: 'rows' }>,
  allBeforeImages: boolean,
): void {
  const { columns, key } = what;
  for (const [index, { before, after }] of what.images.entries()) {
    const id = String(BigInt(fact.fileNumber) * 10n ** 13n + BigInt(fact.event.start + index));
    const push = (op: string, row: Row): void => {
      const uid = `${EPOCH}${id.padStart(19, '0')}${op === 'b' ? 0 : 1}`;
      const values = rowObject(columns, row);
      table.changes.push(rowText({ version: table.version, op, id, uid, ts: fact.time, values }));
    };
    if (before === null) push('i', after ?? []);
    else if (after === null) push('d', before);
    else {
      const paired =
        allBeforeImages || key.length === 0 || keyText(columns, key, before) !== keyText(columns, key, after);
      if (paired) push('b', before);
      push('u', after);
    }
  }
}

function keyText(columns: readonly Column[], key: readonly string[], row: Row): string {
  const values = rowObject(columns, row);
  return JSON.stringify(key.map(name => values[name]));
}

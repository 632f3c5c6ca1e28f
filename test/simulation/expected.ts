/** What the line must publish of a workload, worked out from what the server did alone. */
import type { ResultSettings } from '../../src/config/line.ts';
import type { UmsValue } from '../../src/ums/types.ts';
import { placeOf } from '../unit/consumer/placed-line.ts';
import { eventText } from './binlog-store.ts';
import { type Column, type Row, umsTypes } from './columns.ts';
import { rowObject } from './model-table.ts';
import type { Beat, Fact } from './workload-facts.ts';

/** What must come out for one table. */
export interface ExpectedTable {
  /** By partition: rows and terminations in order, as {@link rowText} and {@link endText} give them. */
  readonly changes: Map<number, string[]>;
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

/** A termination as text; `next`: names of the next version's columns, where it says them. */
export function endText(version: number, reason: string, ts: string, next: readonly string[] | null): string {
  return `${version} ends: ${reason} ${ts}${next === null ? '' : ` then ${next.join()}`}`;
}

/** How result topics are laid out: of how many partitions, and what places rows. */
export type Layout = Pick<ResultSettings, 'placeBy' | 'placeColumns'> & { readonly partitions: number };

/** A heartbeat as text. */
export function beatText(version: number, status: string, id: string, ts: string): string {
  return `${version} beats: ${status} ${id} ${ts}`;
}

interface Progress extends ExpectedTable {
  version: number;
  /** Columns of the rows published last, in any order; null before the first and after a DROP. */
  shape: string | null;
  /** Columns that place its rows; null: all are in the partition of the table. */
  placedBy: readonly string[] | null;
  /** A table with rows got this name, and no row has come under it yet. */
  arrived: boolean;
  /** A heartbeat has named it, before any row. */
  named: boolean;
  readonly home: number;
  readonly layout: Layout;
}

const EPOCH = '1';

/** The changes of each table, by `schema.table`, from the facts that the line reads. */
export function expectedTables(
  facts: readonly Fact[],
  withBeforeImages: (table: string) => boolean,
  layout: Layout,
  isRead: (schema: string, table: string) => boolean,
): ReadonlyMap<string, ExpectedTable> {
  const tables = new Map<string, Progress>();
  for (const fact of facts) {
    if (fact.what.kind === 'beat') {
      beat(tables, fact, fact.what, { layout, isRead });
      continue;
    }
    const name = `${fact.schema}.${fact.table}`;
    const table = tables.get(name) ?? progressOf(name, layout);
    tables.set(name, table);
    const { what } = fact;
    const bad = what.kind === 'rows' ? what.bad : null;
    if (table.parked.length > 0 || bad === 'map') park(table, fact);
    else if (what.kind === 'defined') continue;
    else if (what.kind === 'renamed') {
      table.named = false;
      if (table.shape !== null || table.arrived) end(table, `rename to ${what.to}`, fact.time, null);
      table.shape = null;
      table.arrived = true;
    } else if (what.kind === 'emptied') {
      if (what.reason === 'drop') table.named = false;
      if (table.shape === null && !table.arrived) continue;
      end(table, what.reason, fact.time, null);
      table.arrived = false;
      if (what.reason === 'drop') table.shape = null;
    } else {
      // The table map is good even where the rows are not, so the version ends by what it says.
      const shape = shapeOf(what.columns);
      const placedBy = placingOf(layout, fact.table, what);
      if (table.shape !== null && (table.shape !== shape || table.placedBy?.join() !== placedBy?.join())) {
        end(table, 'schema', fact.time, what.columns);
      }
      table.shape = shape;
      table.arrived = false;
      table.placedBy = placedBy;
      if (bad === 'rows') park(table, fact);
      else pushRows(table, fact, what, withBeforeImages(name));
    }
  }
  return tables;
}

function progressOf(name: string, layout: Layout): Progress {
  const home = placeOf([name], layout.partitions);
  return {
    changes: new Map(),
    parked: [],
    version: 0,
    shape: null,
    placedBy: null,
    arrived: false,
    named: false,
    home,
    layout,
  };
}

/** One for each table that it is for, behind what is there: for all that are known, or for one, which is known then. */
function beat(
  tables: Map<string, Progress>,
  fact: Fact,
  { own }: Beat,
  {
    layout,
    isRead,
  }: { readonly layout: Layout; readonly isRead: (schema: string, table: string) => boolean },
): void {
  if (!own) return;
  if (fact.table !== '*') {
    if (!isRead(fact.schema, fact.table)) return;
    const name = `${fact.schema}.${fact.table}`;
    const table = tables.get(name) ?? progressOf(name, layout);
    tables.set(name, table);
    table.named = true;
    pushBeat(table, fact);
    return;
  }
  for (const [name, table] of tables) {
    const [schema] = name.split('.');
    const isKnown = table.shape !== null || table.named || table.parked.length > 0;
    if (isKnown && (fact.schema === '*' || fact.schema === schema)) pushBeat(table, fact);
  }
}

function pushBeat(table: Progress, fact: Fact): void {
  const id = String(BigInt(fact.fileNumber) * 10n ** 13n + BigInt(fact.event.start));
  const text = beatText(table.version, table.parked.length > 0 ? 'abort' : 'ok', id, fact.time);
  for (let partition = 0; partition < table.layout.partitions; partition++) {
    if (table.layout.placeBy === 'primary-key' || partition === table.home) push(table, partition, text);
  }
}

type RowsFact = Extract<Fact['what'], { readonly kind: 'rows' }>;

/** The chosen columns when the table has all of them, else its key. */
function placingOf(layout: Layout, table: string, { columns, key }: RowsFact): readonly string[] | null {
  if (layout.placeBy === 'table') return null;
  const pattern = Object.keys(layout.placeColumns).find(each =>
    each.endsWith('*') ? table.startsWith(each.slice(0, -1)) : table === each,
  );
  const chosen = layout.placeColumns[pattern ?? ''];
  const has = chosen?.every(name => columns.some(column => column.name === name)) ?? false;
  const names = has ? (chosen ?? []) : key;
  return names.length > 0 ? names : null;
}

function push(table: Progress, partition: number, text: string): void {
  const changes = table.changes.get(partition) ?? [];
  table.changes.set(partition, changes);
  changes.push(text);
}

function park(table: Progress, { event }: Fact): void {
  table.parked.push(eventText(event.file, event.bytes));
}

function end(table: Progress, reason: string, time: string, next: readonly Column[] | null): void {
  const everywhere = table.layout.placeBy === 'primary-key';
  const names = everywhere && next !== null ? next.map(({ name }) => name) : null;
  const text = endText(table.version, reason, time, names);
  for (let partition = 0; partition < table.layout.partitions; partition++) {
    if (everywhere || partition === table.home) push(table, partition, text);
  }
  table.version += 1;
}

function shapeOf(columns: readonly Column[]): string {
  return columns
    .map(({ name, kind }) => `${name} ${umsTypes[kind]}`)
    .sort()
    .join();
}

function pushRows(table: Progress, fact: Fact, what: RowsFact, allBeforeImages: boolean): void {
  const { columns, key } = what;
  const { placedBy, version, home, layout } = table;
  for (const [index, { before, after }] of what.images.entries()) {
    const publish = (op: string, row: Row, rowIndex: number): void => {
      const id = String(BigInt(fact.fileNumber) * 10n ** 13n + BigInt(fact.event.start + rowIndex));
      const uid = `${EPOCH}${id.padStart(19, '0')}${op === 'b' ? 0 : 1}`;
      const values = rowObject(columns, row);
      const partition =
        placedBy === null ? home : placeOf(valuesOf(columns, placedBy, row), layout.partitions);
      push(table, partition, rowText({ version, op, id, uid, ts: fact.time, values }));
    };
    if (before === null) publish('i', after ?? [], index);
    else if (after === null) publish('d', before, index);
    else if (placedBy !== null && keyText(columns, placedBy, before) !== keyText(columns, placedBy, after)) {
      publish('d', before, 2 * index);
      publish('i', after, 2 * index + 1);
    } else {
      const paired =
        allBeforeImages || key.length === 0 || keyText(columns, key, before) !== keyText(columns, key, after);
      const rowIndex = placedBy === null ? index : 2 * index + 1;
      if (paired) publish('b', before, rowIndex);
      publish('u', after, rowIndex);
    }
  }
}

function keyText(columns: readonly Column[], key: readonly string[], row: Row): string {
  return JSON.stringify(valuesOf(columns, key, row));
}

function valuesOf(columns: readonly Column[], names: readonly string[], row: Row): UmsValue[] {
  const values = rowObject(columns, row);
  return names.map(name => values[name] ?? null);
}

import type { Random } from '../../src/testing/index.ts';
import type { UmsValue } from '../../src/ums/types.ts';
import { type Column, type Row, randomValue } from './columns.ts';

/** What a row event did to one row: null where there was, or is, none. */
export interface Image {
  readonly before: Row | null;
  readonly after: Row | null;
}

/** Ids of keyed tables are below this, so that deleted ids come again. */
const IDS = 60;

/** A table as the model server has it. */
export class ModelTable {
  readonly schema: string;
  name: string;
  columns: readonly Column[];
  /** Names of the primary key's columns, in key order; none for a table without one. */
  readonly key: readonly string[];
  rows: Row[] = [];
  tableId: number;
  #columnsMade = 0;

  constructor(
    schema: string,
    name: string,
    columns: readonly Column[],
    key: readonly string[],
    tableId: number,
  ) {
    this.schema = schema;
    this.name = name;
    this.columns = columns;
    this.key = key;
    this.tableId = tableId;
  }

  /** Inserts up to `count` rows and gives their images; fewer when the ids are used up. */
  insert(count: number, random: Random): Image[] {
    const images: Image[] = [];
    for (let i = 0; i < count; i++) {
      const row = this.#withFreeKey(
        this.columns.map(column => randomValue(column, random)),
        random,
      );
      if (row === null) break;
      this.rows.push(row);
      images.push({ before: null, after: row });
    }
    return images;
  }

  /** Updates up to `count` rows, one in four with another key. */
  update(count: number, random: Random): Image[] {
    const images: Image[] = [];
    for (let i = 0; i < count && this.rows.length > 0; i++) {
      const at = random.below(this.rows.length);
      const before = this.rows[at] ?? [];
      const changed = this.columns.map((column, place) =>
        this.key.includes(column.name) || random.chance(0.5)
          ? (before[place] ?? null)
          : randomValue(column, random),
      );
      const after = random.chance(0.25) ? (this.#withFreeKey(changed, random) ?? changed) : changed;
      this.rows[at] = after;
      images.push({ before, after });
    }
    return images;
  }

  /** Deletes up to `count` rows. */
  delete(count: number, random: Random): Image[] {
    const images: Image[] = [];
    for (let i = 0; i < count && this.rows.length > 0; i++) {
      const [before = []] = this.rows.splice(random.below(this.rows.length), 1);
      images.push({ before, after: null });
    }
    return images;
  }

  /** Adds a column that is NULL in all rows, somewhere. */
  addColumn(random: Random): Column {
    this.#columnsMade += 1;
    const column: Column = {
      name: `added ${this.#columnsMade}`,
      kind: random.pick(['int', 'bigint', 'varchar', 'decimal'] as const) ?? 'int',
      nullable: true,
      width: 60,
      variety: 5,
    };
    const at = random.below(this.columns.length + 1);
    this.columns = this.columns.toSpliced(at, 0, column);
    this.rows = this.rows.map(row => row.toSpliced(at, 0, null));
    return column;
  }

  /** Drops a column that is not of the key and not the only one that is never NULL; null when there is none. */
  dropColumn(random: Random): Column | null {
    const column = random.pick(this.columns.filter(({ name }) => name !== 'id' && !this.key.includes(name)));
    if (column === undefined) return null;
    const at = this.columns.indexOf(column);
    this.columns = this.columns.toSpliced(at, 1);
    this.rows = this.rows.map(row => row.toSpliced(at, 1));
    return column;
  }

  /** Makes an `int` column `bigint`, or a `varchar` wider; null when there is none. */
  widenColumn(random: Random): Column | null {
    const column = random.pick(this.columns.filter(({ kind }) => kind === 'int' || kind === 'varchar'));
    if (column === undefined) return null;
    const at = this.columns.indexOf(column);
    if (column.kind === 'varchar') {
      this.columns = this.columns.with(at, { ...column, width: column.width + 30 });
      return column;
    }
    this.columns = this.columns.with(at, { ...column, kind: 'bigint' });
    this.rows = this.rows.map(row => row.with(at, textOrNull(row[at] ?? null)));
    return column;
  }

  /** The row with a key that no row has; null when none was found. Tables without a key take any row. */
  #withFreeKey(row: Row, random: Random): Row | null {
    if (this.key.length === 0) return row;
    const places = this.key.map(name => this.columns.findIndex(column => column.name === name));
    const keyOf = (of: Row): string => places.map(place => String(of[place])).join(' ');
    const used = new Set(this.rows.map(keyOf));
    for (let attempt = 0; attempt < 8; attempt++) {
      const id = random.below(IDS);
      const candidate = this.columns.map((column, place) =>
        column.name === 'id'
          ? column.kind === 'int'
            ? id
            : String(id)
          : this.key.includes(column.name)
            ? randomValue(column, random)
            : (row[place] ?? null),
      );
      if (!used.has(keyOf(candidate))) return candidate;
    }
    return null;
  }
}

function textOrNull(value: UmsValue): UmsValue {
  return value === null ? null : String(value);
}

/** Rows as texts that do not depend on the order of rows and columns, nor on a number's type; only the named columns, NULL for those that a row lacks. */
export function tableText(
  rows: Iterable<Readonly<Record<string, UmsValue>>>,
  columns: readonly string[],
): string[] {
  const names = [...columns].sort();
  const texts: string[] = [];
  for (const row of rows) {
    texts.push(JSON.stringify(names.map(name => [name, textOrNull(row[name] ?? null)])));
  }
  return texts.sort();
}

/** A row by column name. */
export function rowObject(columns: readonly Column[], row: Row): Readonly<Record<string, UmsValue>> {
  return Object.fromEntries(columns.map(({ name }, i) => [name, row[i] ?? null]));
}

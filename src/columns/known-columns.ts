import { alteredColumns, createdColumns } from './apply-changes.ts';
import type { Definition } from './definition.ts';
import type { KnownChange, KnownSchema, KnownTable, PlacedStatement } from './known.ts';
import { NotUnderstood, type WrittenName } from './statement-text.ts';
import type { TableColumns } from './table-columns.ts';

const NOT_UNDERSTOOD = 'a statement that changes it is not understood';
const NOT_FITTING = 'a statement changes it, and what it was before is not known';
const HIDDEN = 'a statement may be about a temporary table of the same name';
const CASE = 'a statement is about a table whose name differs in case';

/**
 * The columns of the tables of some schemas at a place of the binlog: what the statements up to there say, in their order. What they do not say for certain is not known,
 * and stays so until a statement or a look at the server says it. Holds one entry a table.
 */
export class KnownColumns {
  readonly #tables = new Map<string, KnownTable>();
  readonly #schemas = new Map<string, KnownSchema>();
  readonly #changed = new Map<string, readonly string[]>();
  readonly #tracked: (schema: string) => boolean;

  /** `tracked`: the schemas whose statements all come here. */
  constructor(tracked: (schema: string) => boolean) {
    this.#tracked = tracked;
  }

  /** Forgets all, and takes what was known before, as {@link takeChanges} gave it. What is of schemas that are not tracked any more is dropped. */
  load(known: Iterable<KnownChange>): void {
    this.#tables.clear();
    this.#schemas.clear();
    this.#changed.clear();
    for (const { key, value } of known) {
      const [schema = '', table] = key;
      if (value === null) continue;
      if (!this.#tracked(schema)) this.#changed.set(JSON.stringify(key), key);
      // The key tells which of the two it is.
      else if (table === undefined) this.#schemas.set(schema, value as KnownSchema);
      else this.#tables.set(keyOf(schema, table), value as KnownTable);
    }
  }

  /** Whether nothing was ever known. */
  get empty(): boolean {
    return this.#tables.size === 0 && this.#schemas.size === 0;
  }

  table(schema: string, table: string): KnownTable | undefined {
    return this.#tables.get(keyOf(schema, table));
  }

  /** Sets what is known of a table, from elsewhere than a statement. */
  set(schema: string, table: string, known: KnownTable): void {
    const hidden = this.table(schema, table)?.hidden;
    this.#put(schema, table, hidden === true ? { ...known, hidden } : known);
  }

  /** Sets the default character set of a schema of which it is not known. */
  setCharset(schema: string, charset: string | null): void {
    const known = this.#schemas.get(schema);
    if ((known?.charset ?? null) !== null || charset === null) return;
    this.#putSchema(schema, { charset, whole: known?.whole ?? false });
  }

  /** Takes a statement that has passed. */
  apply(statement: PlacedStatement): void {
    const { definition } = statement;
    switch (definition.kind) {
      case 'none':
        return;
      case 'create':
        this.#create(definition, statement);
        return;
      case 'temporary':
        this.#change(definition.table, statement, known => ({ ...known, hidden: true }));
        return;
      case 'alter':
        this.#alter(definition, statement);
        return;
      case 'rename':
        for (const { from, to } of definition.pairs) this.#rename(from, to, statement);
        return;
      case 'drop':
        for (const table of definition.tables) this.#change(table, statement, () => null);
        return;
      case 'create-schema':
        this.#createSchema(definition, statement);
        return;
      case 'alter-schema':
        this.#alterSchema(definition, statement);
        return;
      case 'drop-schema':
        this.#dropSchema(definition.schema);
        return;
      case 'unknown':
        for (const schema of statement.schemas) this.#forgetSchema(schema, statement.place);
    }
  }

  /** What has changed since the last call. */
  takeChanges(): readonly KnownChange[] {
    if (this.#changed.size === 0) return [];
    const changes = [...this.#changed.values()].map(key => {
      const [schema = '', table] = key;
      const value = table === undefined ? this.#schemas.get(schema) : this.table(schema, table);
      return { key, value: value ?? null };
    });
    this.#changed.clear();
    return changes;
  }

  #create({ table, as, unless }: Extract<Definition, { kind: 'create' }>, statement: PlacedStatement): void {
    const { place } = statement;
    if (as === null) this.#notWhole(statement);
    this.#change(table, statement, (known, schema) => {
      if (unless && known?.columns !== undefined) return known;
      const whole = this.#schemas.get(schema)?.whole === true;
      // It may have been there before, with other columns.
      if (unless && (known !== undefined || !whole)) return unknownAt(place, NOT_FITTING, known);
      const columns = as === null ? null : this.#columnsOf(as, schema, statement);
      if (columns === null) return unknownAt(place, as === null ? NOT_UNDERSTOOD : NOT_FITTING, known);
      return { columns, ...(known?.hidden === true && { hidden: true }) };
    });
  }

  #columnsOf(
    as: NonNullable<Extract<Definition, { kind: 'create' }>['as']>,
    schema: string,
    statement: PlacedStatement,
  ): TableColumns | null {
    if ('table' in as) {
      return orNull(() => createdColumns(as.table, this.#schemas.get(schema)?.charset ?? null));
    }
    const like = this.table(schemaOf(as.like, statement), as.like.table);
    return like?.hidden === true ? null : (like?.columns ?? null);
  }

  #alter({ table, alteration }: Extract<Definition, { kind: 'alter' }>, statement: PlacedStatement): void {
    const { place } = statement;
    if (alteration === null) this.#notWhole(statement);
    this.#change(table, statement, known => {
      if (alteration === null) return unknownAt(place, NOT_UNDERSTOOD, known);
      if (known?.hidden === true) return unknownAt(place, HIDDEN, known);
      if (alteration.changes.length === 0) return known ?? null;
      const before = known?.columns;
      const columns = before === undefined ? null : orNull(() => alteredColumns(before, alteration.changes));
      return columns === null ? unknownAt(place, NOT_FITTING, known) : { columns };
    });
    // A new name without a schema is one of the session's, not of the table's.
    if (alteration !== null && alteration.renamed !== null) {
      this.#rename(table, alteration.renamed, statement);
    }
  }

  #rename(from: WrittenName, to: WrittenName, statement: PlacedStatement): void {
    const { place } = statement;
    let moved: KnownTable | undefined;
    this.#change(from, statement, known => {
      moved = known;
      return null;
    });
    this.#change(to, statement, () => {
      if (moved?.hidden === true) return unknownAt(place, HIDDEN, moved);
      return moved ?? unknownAt(place, NOT_FITTING, undefined);
    });
  }

  /** Changes a table, and forgets those whose names differ from its in case alone: the server may hold them for one. */
  #change(
    written: WrittenName,
    statement: PlacedStatement,
    change: (known: KnownTable | undefined, schema: string) => KnownTable | null,
  ): void {
    const schema = schemaOf(written, statement);
    const { table } = written;
    const folded = keyOf(schema, table).toLowerCase();
    for (const [key, known] of this.#tables) {
      if (key === keyOf(schema, table) || key.toLowerCase() !== folded) continue;
      const [otherSchema, other] = partsOf(key);
      this.#put(otherSchema, other, unknownAt(statement.place, CASE, known));
    }
    if (!this.#tracked(schema)) return;
    const known = this.table(schema, table);
    const after = change(known, schema);
    if (after !== (known ?? null)) this.#put(schema, table, after);
  }

  #createSchema(
    { schema, charset, unless }: Extract<Definition, { kind: 'create-schema' }>,
    { serverCharset }: PlacedStatement,
  ): void {
    if (!this.#tracked(schema)) return;
    if (unless) {
      // It may have been there before, as it is.
      if (this.#schemas.get(schema) === undefined) this.#putSchema(schema, { charset: null, whole: false });
      return;
    }
    this.#dropSchema(schema);
    this.#putSchema(schema, { charset: charset ?? serverCharset, whole: true });
  }

  #alterSchema(definition: Extract<Definition, { kind: 'alter-schema' }>, statement: PlacedStatement): void {
    const schema = definition.schema ?? statement.schema;
    if (!this.#tracked(schema)) return;
    this.#putSchema(schema, {
      charset: definition.charset,
      whole: this.#schemas.get(schema)?.whole ?? false,
    });
  }

  #dropSchema(dropped: string): void {
    for (const key of [...this.#tables.keys()]) {
      const [schema, table] = partsOf(key);
      if (schema.toLowerCase() === dropped.toLowerCase()) this.#put(schema, table, null);
    }
    for (const schema of [...this.#schemas.keys()]) {
      if (schema.toLowerCase() === dropped.toLowerCase()) this.#putSchema(schema, null);
    }
  }

  #forgetSchema(schema: string, place: string): void {
    for (const [key, known] of this.#tables) {
      const [owner, table] = partsOf(key);
      if (owner === schema) this.#put(schema, table, unknownAt(place, NOT_UNDERSTOOD, known));
    }
    this.#putSchema(schema, { charset: null, whole: false });
  }

  #notWhole({ schemas }: PlacedStatement): void {
    for (const schema of schemas) {
      const known = this.#schemas.get(schema);
      if (known?.whole === true) this.#putSchema(schema, { ...known, whole: false });
    }
  }

  #put(schema: string, table: string, known: KnownTable | null): void {
    if (known === null) this.#tables.delete(keyOf(schema, table));
    else this.#tables.set(keyOf(schema, table), known);
    this.#changed.set(JSON.stringify([schema, table]), [schema, table]);
  }

  #putSchema(schema: string, known: KnownSchema | null): void {
    if (known === null) this.#schemas.delete(schema);
    else this.#schemas.set(schema, known);
    this.#changed.set(JSON.stringify([schema]), [schema]);
  }
}

function unknownAt(since: string, why: string, known: KnownTable | undefined): KnownTable {
  return { unknown: { since, why }, ...(known?.hidden === true && { hidden: true }) };
}

function schemaOf({ schema }: WrittenName, statement: PlacedStatement): string {
  return schema ?? statement.schema;
}

/** No name holds a zero byte. */
function keyOf(schema: string, table: string): string {
  return `${schema}\0${table}`;
}

function partsOf(key: string): readonly [schema: string, table: string] {
  const [schema = '', table = ''] = key.split('\0');
  return [schema, table];
}

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof NotUnderstood) return null;
    throw error;
  }
}

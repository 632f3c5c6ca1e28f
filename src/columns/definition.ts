import { readAlteration, type WrittenAlteration } from './alter-table.ts';
import { readCharsetOption, readTable, type WrittenTable } from './create-table.ts';
import { NotUnderstood, StatementText, type WrittenName } from './statement-text.ts';

/** What a statement does to the columns of tables. */
export type Definition =
  /** Nothing. */
  | { readonly kind: 'none' }
  | {
      readonly kind: 'create';
      readonly table: WrittenName;
      /** A definition, or the table whose columns it takes; null when the text is not understood. */
      readonly as: { readonly table: WrittenTable } | { readonly like: WrittenName } | null;
      /** Does nothing where the table is there. */
      readonly unless: boolean;
    }
  /** A temporary table hides the one with its name from later statements of its session. */
  | { readonly kind: 'temporary'; readonly table: WrittenName }
  | {
      readonly kind: 'alter';
      readonly table: WrittenName;
      /** Null when the text is not understood. */
      readonly alteration: WrittenAlteration | null;
    }
  | {
      readonly kind: 'rename';
      readonly pairs: readonly { readonly from: WrittenName; readonly to: WrittenName }[];
    }
  | { readonly kind: 'drop'; readonly tables: readonly WrittenName[] }
  | {
      readonly kind: 'create-schema';
      readonly schema: string;
      /** Null: the server's default. */
      readonly charset: string | null;
      readonly unless: boolean;
    }
  /** `schema` null: the session's default. `charset` null: it is not understood which. */
  | { readonly kind: 'alter-schema'; readonly schema: string | null; readonly charset: string | null }
  | { readonly kind: 'drop-schema'; readonly schema: string }
  /** It is not known which tables it concerns. */
  | { readonly kind: 'unknown' };

const NONE: Definition = { kind: 'none' };
const UNKNOWN: Definition = { kind: 'unknown' };

/** Statements that define no columns, by their first word. */
const PLAIN: ReadonlySet<string> = new Set(
  (
    'TRUNCATE OPTIMIZE ANALYZE REPAIR CHECK CHECKSUM FLUSH GRANT REVOKE SET INSTALL UNINSTALL CHANGE RESET PURGE LOCK UNLOCK KILL CACHE USE SHUTDOWN ' +
    'START STOP XA SAVEPOINT RELEASE BINLOG DELETE BACKUP'
  ).split(' '),
);

/** Reads a statement that is no change of rows. Pure; any text is accepted, and what is not understood to its end is never guessed. */
export function definitionOf(sql: string): Definition {
  const text = new StatementText(sql);
  if (text.ended) return NONE;
  try {
    if (text.skip('CREATE')) return created(text);
    if (text.skip('ALTER')) return altered(text);
    if (text.skip('DROP')) return dropped(text);
    if (text.skip('RENAME')) return renamed(text);
  } catch (error) {
    if (error instanceof NotUnderstood) return UNKNOWN;
    throw error;
  }
  return PLAIN.has(text.word()) ? NONE : UNKNOWN;
}

/** What `read` gives; null when it does not understand, or not to the end. */
function orNull<T>(text: StatementText, read: () => T): T | null {
  try {
    const value = read();
    return text.ended ? value : null;
  } catch (error) {
    if (error instanceof NotUnderstood) return null;
    throw error;
  }
}

function created(text: StatementText): Definition {
  const replace = text.skip('OR', 'REPLACE');
  if (text.word() === 'DATABASE' || text.word() === 'SCHEMA') return createdSchema(text, replace);
  const temporary = text.skip('TEMPORARY');
  if (!text.skip('TABLE')) return NONE;
  const unless = text.skip('IF', 'NOT', 'EXISTS');
  const table = text.tableName();
  if (temporary) return { kind: 'temporary', table };
  const as = orNull(text, () => {
    const bracketed = text.word() === '(' && text.word(1) === 'LIKE';
    if (bracketed) text.next();
    if (!text.skip('LIKE')) return { table: readTable(text) };
    const like = text.tableName();
    if (bracketed) text.expect(')');
    return { like };
  });
  return { kind: 'create', table, as, unless };
}

function createdSchema(text: StatementText, replace: boolean): Definition {
  text.next();
  const unless = text.skip('IF', 'NOT', 'EXISTS');
  const schema = text.name();
  if (replace) return { kind: 'drop-schema', schema };
  return { kind: 'create-schema', schema, charset: readSchemaCharset(text), unless };
}

function readSchemaCharset(text: StatementText): string | null {
  let charset: string | null = null;
  while (!text.ended) {
    const found = readCharsetOption(text);
    if (found !== null) charset = found;
    else text.next();
  }
  return charset;
}

function altered(text: StatementText): Definition {
  if (text.skip('DATABASE') || text.skip('SCHEMA')) {
    const named = text.peek().name !== null && !/^(DEFAULT|CHARACTER|CHARSET|COLLATE)$/.test(text.word());
    const schema = named ? text.name() : null;
    return { kind: 'alter-schema', schema, charset: orNull(text, () => readSchemaCharset(text)) };
  }
  while (text.skip('ONLINE') || text.skip('OFFLINE') || text.skip('IGNORE'));
  if (!text.skip('TABLE')) return NONE;
  text.skip('IF', 'EXISTS');
  const table = text.tableName();
  if (text.skip('WAIT')) text.next();
  else text.skip('NOWAIT');
  return { kind: 'alter', table, alteration: orNull(text, () => readAlteration(text)) };
}

function dropped(text: StatementText): Definition {
  if (text.skip('DATABASE') || text.skip('SCHEMA')) {
    text.skip('IF', 'EXISTS');
    return { kind: 'drop-schema', schema: text.name() };
  }
  if (text.skip('TABLE') || text.skip('TABLES')) {
    text.skip('IF', 'EXISTS');
    const tables: WrittenName[] = [];
    do tables.push(text.tableName());
    while (text.skip(','));
    return { kind: 'drop', tables };
  }
  if (!text.skip('INDEX')) return NONE;
  text.skip('IF', 'EXISTS');
  const primary = text.name().toUpperCase() === 'PRIMARY';
  if (!primary) return NONE;
  text.expect('ON');
  const changes = [{ kind: 'primary-key', columns: [] }] as const;
  return { kind: 'alter', table: text.tableName(), alteration: { changes, renamed: null } };
}

function renamed(text: StatementText): Definition {
  if (!text.skip('TABLE') && !text.skip('TABLES')) return NONE;
  text.skip('IF', 'EXISTS');
  const pairs: { from: WrittenName; to: WrittenName }[] = [];
  do {
    const from = text.tableName();
    if (text.skip('WAIT')) text.next();
    else text.skip('NOWAIT');
    text.expect('TO');
    pairs.push({ from, to: text.tableName() });
  } while (text.skip(','));
  return text.ended ? { kind: 'rename', pairs } : UNKNOWN;
}

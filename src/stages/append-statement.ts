/** What a statement did to the rows of whole tables, which no row event says. */
export type Emptied =
  | {
      readonly reason: 'truncate' | 'drop';
      /** Null: the session's default schema. */
      readonly schema: string | null;
      readonly table: string;
    }
  /** DROP DATABASE: every table of the schema. */
  | { readonly reason: 'drop'; readonly schema: string; readonly table: null };

/**
 * One match a token: comment or its marks, quoted text, quoted name (backquotes, or double quotes in ANSI mode), word, or one other character. The text of
 * slash, star, exclamation mark is executed by the server and counts.
 */
const TOKENS =
  /\/\*(?!M?!)[\s\S]*?(?:\*\/|$)|\/\*M?!\d*|\*\/|--(?=\s|$)[^\n]*|#[^\n]*|'(?:[^'\\]|\\[\s\S]|'')*'?|`((?:[^`]|``)*)`|"((?:[^"]|"")*)"|([\p{L}\p{N}_$]+)|\S/gu;
const COMMENT = /^(?:\/\*|\*\/|--|#)/;

interface Token {
  /** Upper case for a bare word, else the token as it stands. */
  readonly word: string;
  /** The name that the token can be; null when it can be none. */
  readonly name: string | null;
}

/**
 * Finds the tables that a statement empties: TRUNCATE TABLE, DROP TABLE, DROP DATABASE and MariaDB's CREATE OR REPLACE TABLE. Any other text gives none;
 * temporary tables are left out, since they are not in the binlog.
 */
export function emptiedTables(sql: string): readonly Emptied[] {
  const reader = new TokenReader(sql);
  switch (reader.next().word) {
    case 'TRUNCATE':
      reader.skip('TABLE');
      return reader.tables('truncate');
    case 'DROP':
      return dropped(reader);
    case 'CREATE':
      if (!reader.skip('OR') || !reader.skip('REPLACE') || !reader.skip('TABLE')) return [];
      return reader.tables('drop').slice(0, 1);
    default:
      return [];
  }
}

function dropped(reader: TokenReader): readonly Emptied[] {
  if (reader.skip('TABLE') || reader.skip('TABLES')) {
    if (reader.skip('IF')) reader.skip('EXISTS');
    return reader.tables('drop');
  }
  if (!reader.skip('DATABASE') && !reader.skip('SCHEMA')) return [];
  if (reader.skip('IF')) reader.skip('EXISTS');
  const { name } = reader.next();
  return name === null ? [] : [{ reason: 'drop', schema: name, table: null }];
}

const END: Token = { word: '', name: null };

class TokenReader {
  readonly #tokens: Iterator<RegExpMatchArray>;
  #ahead: Token | null = null;

  constructor(sql: string) {
    this.#tokens = sql.matchAll(TOKENS);
  }

  next(): Token {
    const token = this.#ahead ?? this.#read();
    this.#ahead = null;
    return token;
  }

  /** Takes the next token when it is this word. */
  skip(word: string): boolean {
    this.#ahead ??= this.#read();
    if (this.#ahead.word !== word) return false;
    this.#ahead = null;
    return true;
  }

  /** Names with or without a schema, divided by commas. */
  tables(reason: 'truncate' | 'drop'): Emptied[] {
    const tables: Emptied[] = [];
    do {
      const first = this.next().name;
      if (first === null) break;
      const second = this.skip('.') ? this.next().name : null;
      tables.push(
        second === null ? { reason, schema: null, table: first } : { reason, schema: first, table: second },
      );
    } while (this.skip(','));
    return tables;
  }

  #read(): Token {
    for (;;) {
      const { value, done } = this.#tokens.next();
      if (done === true) return END;
      const [token, backquoted, doubleQuoted, word] = value as RegExpMatchArray; // not done, so there is a match
      if (COMMENT.test(token)) continue;
      if (word !== undefined) return { word: word.toUpperCase(), name: word };
      const name = backquoted?.replaceAll('``', '`') ?? doubleQuoted?.replaceAll('""', '"') ?? null;
      return { word: name === null ? token : '', name };
    }
  }
}

/**
 * The tokens of a statement as MySQL and MariaDB read them: comments are left out, and the text of slash, star, exclamation mark (also with `M`, MariaDB's own), which the
 * server executes, counts. No grammar: whoever reads tokens says how far it looks.
 * Source: "Comments" and "Schema Object Names" of the MySQL manual; "Comment Syntax" of MariaDB's.
 */

/** A token of a statement. */
export interface SqlToken {
  /** A bare word in upper case; '' for a quoted name or text; else the one character. */
  readonly word: string;
  /** The name that the token can be, as it is written, without its quotes; null when it can be none. */
  readonly name: string | null;
  /** Where the token stands in the text. */
  readonly start: number;
  readonly end: number;
}

/** One match a token: comment or its marks, quoted text, quoted name (backquotes, or double quotes in ANSI mode), word, or one other character. */
const TOKENS =
  /\/\*(?!M?!)[\s\S]*?(?:\*\/|$)|\/\*M?!\d*|\*\/|--(?=\s|$)[^\n]*|#[^\n]*|'(?:[^'\\]|\\[\s\S]|'')*'?|`((?:[^`]|``)*)`?|"((?:[^"\\]|\\[\s\S]|"")*)"?|([\p{L}\p{N}_$@]+)|\S/gu;
const COMMENT = /^(?:\/\*|\*\/|--(?=\s|$)|#)/;

/** The tokens of any text, in order. Pure; what is not closed ends with the text. */
export function* sqlTokens(sql: string): Generator<SqlToken, undefined> {
  for (const match of sql.matchAll(TOKENS)) {
    const [token, backquoted, doubleQuoted, word] = match;
    if (COMMENT.test(token)) continue;
    const start = match.index;
    const end = start + token.length;
    if (word !== undefined) yield { word: word.toUpperCase(), name: word, start, end };
    else {
      const name = backquoted?.replaceAll('``', '`') ?? doubleQuoted?.replaceAll('""', '"') ?? null;
      yield { word: name === null && !token.startsWith("'") ? token : '', name, start, end };
    }
  }
}

const END: SqlToken = { word: '', name: null, start: 0, end: 0 };

/** Reads a statement token by token, one ahead. */
export class SqlReader {
  readonly #tokens: Iterator<SqlToken, undefined>;
  #ahead: SqlToken | null = null;

  constructor(sql: string) {
    this.#tokens = sqlTokens(sql);
  }

  /** The next token, which stays. Beyond the last: a token that is nothing. */
  peek(): SqlToken {
    this.#ahead ??= this.#tokens.next().value ?? END;
    return this.#ahead;
  }

  next(): SqlToken {
    const token = this.peek();
    this.#ahead = null;
    return token;
  }

  /** Takes the next token when it is this word, or this character. */
  skip(word: string): boolean {
    if (this.peek().word !== word) return false;
    this.#ahead = null;
    return true;
  }

  /** Whether no token is left. */
  get done(): boolean {
    return this.peek() === END;
  }

  /** A table's name, with or without a schema before it. Null when the next token is no name. */
  tableName(): { readonly schema: string | null; readonly table: string } | null {
    const first = this.next().name;
    if (first === null) return null;
    const second = this.skip('.') ? this.next().name : null;
    return second === null ? { schema: null, table: first } : { schema: first, table: second };
  }
}

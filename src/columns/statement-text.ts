import { type SqlToken, sqlTokens } from '../binlog/sql-tokens.ts';

/** Thrown and caught within this folder: the text is not understood to its end. */
export class NotUnderstood extends Error {}

/** Throws {@link NotUnderstood}. `what` continues "the statement has". */
export function notUnderstood(what: string): never {
  throw new NotUnderstood(what);
}

/** A table's name as a statement has it. */
export interface WrittenName {
  /** Null: the session's default schema. */
  readonly schema: string | null;
  readonly table: string;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '0': '\0',
  b: '\b',
  n: '\n',
  r: '\r',
  t: '\t',
  Z: '\x1a',
  '%': '\\%',
  _: '\\_',
};
const NOTHING: SqlToken = { word: '', name: null, start: -1, end: -1 };

/** A statement, token by token, with any number ahead. Methods that expect something throw {@link NotUnderstood} when it is not there. */
export class StatementText {
  readonly #sql: string;
  readonly #tokens: readonly SqlToken[];
  #at = 0;

  constructor(sql: string) {
    this.#sql = sql;
    this.#tokens = [...sqlTokens(sql)];
  }

  get ended(): boolean {
    const rest = this.#tokens.slice(this.#at);
    return rest.every(({ word }) => word === ';');
  }

  peek(ahead = 0): SqlToken {
    return this.#tokens[this.#at + ahead] ?? NOTHING;
  }

  next(): SqlToken {
    const token = this.peek();
    if (this.#at < this.#tokens.length) this.#at++;
    return token;
  }

  /** The word of a token that is bare; '' for quoted ones. */
  word(ahead = 0): string {
    return this.peek(ahead).word;
  }

  /** Takes these words, or characters, when all of them come next. */
  skip(...words: readonly string[]): boolean {
    if (!words.every((word, i) => this.word(i) === word)) return false;
    this.#at += words.length;
    return true;
  }

  expect(...words: readonly string[]): void {
    if (!this.skip(...words)) notUnderstood(`no ${words.join(' ')} where one is expected`);
  }

  /** A name, bare or quoted. */
  name(): string {
    return this.next().name ?? notUnderstood('no name where one is expected');
  }

  tableName(): WrittenName {
    const first = this.name();
    return this.skip('.') ? { schema: first, table: this.name() } : { schema: null, table: first };
  }

  /** A whole number. */
  number(): number {
    const { word } = this.next();
    return /^\d{1,9}$/.test(word) ? Number(word) : notUnderstood('no number where one is expected');
  }

  /** Whether the next token is quoted text, with either quote. */
  get isText(): boolean {
    const quote = this.#sql[this.peek().start];
    return quote === "'" || quote === '"';
  }

  /** Quoted text, without quotes and escapes. Source: "String Literals" of the MySQL manual. */
  text(): string {
    if (!this.isText) notUnderstood('no text where one is expected');
    const { start, end } = this.next();
    const quote = this.#sql[start] ?? '';
    const inner = this.#sql.slice(start + 1, end - 1);
    if (end - start < 2 || this.#sql[end - 1] !== quote) notUnderstood('text that does not end');
    return inner.replaceAll(/\\([\s\S])|''|""/gu, (match, escaped: string | undefined) => {
      if (escaped !== undefined) return ESCAPES[escaped] ?? escaped;
      return match[0] === quote ? quote : match;
    });
  }

  /** Skips what stands in parentheses, when one opens next. */
  skipParentheses(): boolean {
    if (this.word() !== '(') return false;
    let depth = 0;
    do {
      const { word, start } = this.next();
      if (start < 0) notUnderstood('a parenthesis that is not closed');
      if (word === '(') depth++;
      else if (word === ')') depth--;
    } while (depth > 0);
    return true;
  }

  /** Skips to the next comma, closing parenthesis or end on this level. */
  skipElement(): void {
    for (;;) {
      const { word, start } = this.peek();
      if (start < 0 || word === ',' || word === ')') return;
      if (!this.skipParentheses()) this.next();
    }
  }

  skipAll(): void {
    this.#at = this.#tokens.length;
  }

  /** What stands in parentheses, an element after the other. */
  list(element: () => void): void {
    this.expect('(');
    do element();
    while (this.skip(','));
    this.expect(')');
  }
}

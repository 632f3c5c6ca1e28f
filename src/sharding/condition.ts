import { type SqlToken, sqlTokens } from '../binlog/sql-tokens.ts';
import { UmbusError } from '../core/errors.ts';

/** Functions of a value that do nothing else. Names that are not here are refused. */
const FUNCTIONS: ReadonlySet<string> = new Set(
  (
    'ABS CEIL CEILING FLOOR ROUND MOD SIGN COALESCE IFNULL NULLIF IF LOWER UPPER TRIM LTRIM RTRIM LENGTH CHAR_LENGTH LEFT RIGHT SUBSTRING SUBSTR CONCAT HEX UNHEX ' +
    'DATE YEAR MONTH DAY DAYOFMONTH HOUR MINUTE SECOND CRC32 IN AND OR NOT XOR CASE WHEN THEN ELSE BETWEEN IS LIKE ESCAPE REGEXP RLIKE DIV INTERVAL'
  ).split(' '),
);
/** Words that begin what an expression over one row does not need. */
const REFUSED: ReadonlySet<string> = new Set(
  'SELECT WITH TABLE VALUES UNION INTO FROM JOIN LIMIT ORDER GROUP HAVING FOR LOCK PROCEDURE EXISTS MATCH OVER WINDOW RETURNING'.split(
    ' ',
  ),
);
const OPERATORS: ReadonlySet<string> = new Set('( ) , = < > ! + - * / % . & | ^ ~'.split(' '));
const LONGEST = 10_000;

/**
 * Reads the text of `--where`: one expression over the columns of one row. Gives it back without comments' worth of doubt: what it holds is what was checked. Refused, each with its place: comments,
 * `;`, subqueries, variables, parameters, functions other than plain ones of values, quotes and parentheses that do not close. The server checks the rest.
 * Errors: UMBUS_PULL_CONDITION.
 */
export function parseCondition(text: string): string {
  if (text.trim() === '') throw refused('it is empty', 1);
  if (text.length > LONGEST) throw refused(`it has more than ${LONGEST} characters`, LONGEST);
  let open = 0;
  let at = 0;
  let before: SqlToken | null = null;
  for (const token of sqlTokens(text)) {
    // The reader leaves comments out, so they show as a gap that is not white space.
    if (text.slice(at, token.start).trim() !== '') throw refused('it holds a comment', at + 1);
    at = token.end;
    checkToken(text, token, before);
    if (token.word === '(') open++;
    if (token.word === ')' && --open < 0)
      throw refused('a parenthesis closes that none opened', token.start + 1);
    before = token;
  }
  if (text.slice(at).trim() !== '') throw refused('it holds a comment', at + 1);
  if (open > 0) throw refused('a parenthesis is not closed', text.length);
  return text.trim();
}

function checkToken(text: string, token: SqlToken, before: SqlToken | null): void {
  const place = token.start + 1;
  const raw = text.slice(token.start, token.end);
  if (/^['"`]/.test(raw)) {
    if (!isClosed(raw)) throw refused('a quote is not closed', place);
    return;
  }
  if (token.name === null) {
    if (!OPERATORS.has(token.word)) throw refused(`'${raw}' is no part of an expression`, place);
    if (token.word === '(' && before !== null && isCall(text, before) && !FUNCTIONS.has(before.word)) {
      throw refused(`the function ${before.word} is not allowed`, before.start + 1);
    }
    return;
  }
  if (raw.includes('@')) throw refused('variables are not allowed', place);
  if (REFUSED.has(token.word) && before?.word !== '.') {
    throw refused(`${token.word} is not allowed`, place);
  }
}

/** Whether a parenthesis behind this token would make it a function's name. Backquoted names call stored functions. */
function isCall(text: string, token: SqlToken): boolean {
  return token.name !== null && !text.startsWith('"', token.start);
}

function isClosed(raw: string): boolean {
  const quote = raw.charAt(0);
  if (raw.length < 2 || !raw.endsWith(quote)) return false;
  const inner = raw.slice(1, -1).replaceAll(quote + quote, '');
  if (quote === '`') return !inner.includes('`');
  return !/(?:^|[^\\])(?:\\\\)*\\$/.test(inner);
}

function refused(why: string, column: number): UmbusError {
  return new UmbusError('UMBUS_PULL_CONDITION', `The condition is refused at character ${column}: ${why}.`, {
    details: { column },
  });
}

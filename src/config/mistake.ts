import { type ErrorCode, UmbusError } from '../core/errors.ts';

/** Where something stands in a file; both count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A path of keys and list indexes into a data line. */
export type KeyPath = readonly (string | number)[];

/** One thing in a data line file that is wrong, or (a warning) unwise. Never holds a secret or an expanded value. */
export interface Mistake extends Place {
  readonly code: Extract<
    ErrorCode,
    'UMBUS_CONFIG_INVALID' | 'UMBUS_CONFIG_UNREADABLE' | 'UMBUS_SECRET_MISSING'
  >;
  /** As the caller named the file. */
  readonly file: string;
  /** For example `source.port`; '' for the file as a whole. */
  readonly path: string;
  /** What was expected and what was found; no full stop. */
  readonly problem: string;
  /** What was probably meant, or what to do; null when there is nothing to guess. */
  readonly suggestion: string | null;
}

/** `source.port`, `schemas.shop.tables[0]`; keys with other signs are quoted. */
export function pathText(path: KeyPath): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (/^[\w<>-]+$/.test(part)) text += text === '' ? part : `.${part}`;
    else text += `["${part}"]`;
  }
  return text;
}

/** One line: `shop.yaml:3:9: source.port: expected ..., found ...; did you mean ...?` */
export function mistakeText(mistake: Mistake): string {
  const where = `${mistake.file}:${mistake.line}:${mistake.column}`;
  const what = mistake.path === '' ? mistake.problem : `${mistake.path}: ${mistake.problem}`;
  return mistake.suggestion === null ? `${where}: ${what}` : `${where}: ${what}; ${mistake.suggestion}`;
}

/**
 * The error that stops a line with mistakes: all of them in the message, one a line, the first one's place in the details. The code is
 * UMBUS_CONFIG_INVALID unless every mistake is a missing secret or every mistake an unreadable file.
 */
export function mistakesError(file: string, mistakes: readonly Mistake[]): UmbusError {
  const [first] = mistakes;
  const code =
    first !== undefined && mistakes.every(mistake => mistake.code === first.code)
      ? first.code
      : 'UMBUS_CONFIG_INVALID';
  const count = mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`;
  const lines = mistakes.map(mistake => `  ${mistakeText(mistake)}.`.replace(/\?\.$/, '?'));
  return new UmbusError(code, `The data line ${file} has ${count}:\n${lines.join('\n')}`, {
    details: { file, line: first?.line ?? 1, column: first?.column ?? 1, mistakes: mistakes.length },
  });
}

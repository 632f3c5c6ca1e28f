import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { messageOf, UmbusError } from '../core/errors.ts';
import type { Line } from './line.ts';
import { lineSchema } from './line-schema.ts';
import { type Mistake, mistakesError } from './mistake.ts';
import { mistakesOf, placed } from './mistakes-of.ts';
import { rawMistakes } from './raw-mistakes.ts';
import { resolveLine } from './resolve-line.ts';
import { type Environment, readYamlText } from './yaml-text.ts';

/** What reading a data line file gives: the line, or the mistakes that stand in its way; and what is allowed but unwise. */
export interface LineReading {
  /** Frozen. Null when there are mistakes. */
  readonly line: Line | null;
  /** By place. */
  readonly mistakes: readonly Mistake[];
  readonly warnings: readonly Mistake[];
}

/**
 * Reads, checks and resolves a data line file: defaults filled in, references and secrets read, frozen. Errors: UMBUS_CONFIG_UNREADABLE when
 * the file, or a TLS file, cannot be read; UMBUS_SECRET_MISSING when only secrets are missing; else UMBUS_CONFIG_INVALID with all mistakes,
 * each with file, line, column and path.
 */
export function loadLine(file: string, environment: Environment = process.env): Line {
  const { line, mistakes } = readLine(file, environment);
  if (line === null) throw mistakesError(file, mistakes);
  return line;
}

/** As {@link loadLine}, but gives mistakes and warnings instead of throwing. Errors: UMBUS_CONFIG_UNREADABLE for the file itself. */
export function readLine(file: string, environment: Environment = process.env): LineReading {
  return readLineText(readText(file), file, environment);
}

/** As {@link readLine}, of a text; `file` names it in mistakes, and relative paths count from its directory. */
export function readLineText(text: string, file: string, environment: Environment): LineReading {
  const yaml = readYamlText(text, environment);
  const mistakes: Mistake[] = yaml.mistakes
    .map(mistake => placed(file, yaml, { part: 'value', ...mistake }))
    .map((mistake, index) => ({ ...mistake, ...placeOfText(yaml.mistakes[index], mistake) }));
  // After a broken text the keys are a guess; their mistakes would hide the one that matters.
  if (yaml.mistakes.some(mistake => mistake.path.length === 0))
    return { line: null, mistakes: sorted(mistakes), warnings: [] };
  const parsed = lineSchema.safeParse(yaml.value);
  const found = [...mistakesOf(parsed.error?.issues ?? [], lineSchema, yaml), ...rawMistakes(yaml.value)];
  if (!parsed.success) {
    return {
      line: null,
      mistakes: merged(
        mistakes,
        found.map(each => placed(file, yaml, each)),
      ),
      warnings: [],
    };
  }
  const resolved = resolveLine(parsed.data, { environment, directory: dirname(resolve(file)), readText });
  const all = merged(
    mistakes,
    [...found, ...resolved.mistakes].map(each => placed(file, yaml, each)),
  );
  const warnings = resolved.warnings.map(each => placed(file, yaml, each));
  return { line: all.length === 0 ? freeze(resolved.line) : null, mistakes: all, warnings };
}

function placeOfText(source: { line: number; column: number } | undefined, fallback: Mistake) {
  return { line: source?.line ?? fallback.line, column: source?.column ?? fallback.column };
}

/** A place with two mistakes keeps the first kind: an unset variable is not also a bad port. */
function merged(first: readonly Mistake[], second: readonly Mistake[]): readonly Mistake[] {
  const paths = new Set(first.map(mistake => mistake.path));
  return sorted([...first, ...second.filter(mistake => !paths.has(mistake.path))]);
}

function sorted(mistakes: readonly Mistake[]): readonly Mistake[] {
  return mistakes.toSorted((a, b) => a.line - b.line || a.column - b.column);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : messageOf(cause);
    throw new UmbusError('UMBUS_CONFIG_UNREADABLE', `The file ${file} cannot be read: ${code}.`, {
      cause,
      details: { file },
    });
  }
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) freeze(child);
  }
  return value;
}

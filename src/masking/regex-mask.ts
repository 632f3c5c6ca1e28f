import type { ColumnMask, MaskedColumn } from './mask-spec.ts';
import { regexInputMax } from './regex-cost.ts';
import { defaultValue, valueOfText } from './typed-value.ts';

/** A checked pattern with its replacement. */
export interface RegexParts {
  /** Longest value that it is used on, in UTF-16 units. */
  readonly inputMax: number;
  /** Whether the whole value matches. */
  readonly matches: (text: string) => boolean;
  readonly replace: (text: string) => string;
}

/**
 * Compiles a pattern, in JavaScript's syntax with the flag `u`, and a replacement, in Java's: `$1` and `${name}` for groups, a backslash before a sign that is to stand for
 * itself. What is wrong with them comes as a text, without a full stop.
 */
export function regexParts(
  regex: string,
  replacement: string,
): RegexParts | { readonly part: 'regex' | 'replacement'; readonly problem: string } {
  let whole: RegExp;
  let each: RegExp;
  try {
    whole = new RegExp(`^(?:${regex})$`, 'u');
    each = new RegExp(regex, 'gu');
  } catch (error) {
    const [, reason = 'it is not one'] = /: ([^:]*)$/.exec(error instanceof Error ? error.message : '') ?? [];
    return { part: 'regex', problem: `is no regular expression (${reason})` };
  }
  const inputMax = regexInputMax(regex);
  if (typeof inputMax !== 'number') {
    return { part: 'regex', problem: `could take for ever: ${inputMax.refused}` };
  }
  const groups = groupsOf(regex);
  const pieces = piecesOf(replacement, groups);
  if (typeof pieces === 'string') return { part: 'replacement', problem: pieces };
  return {
    inputMax,
    matches: text => whole.test(text),
    replace: text =>
      text.replace(each, (...found: unknown[]) =>
        pieces.map(piece => (typeof piece === 'string' ? piece : String(found[piece] ?? ''))).join(''),
      ),
  };
}

/** `regex` as DBUS has it: the whole value must match; what does not match, or is too long, becomes the default value. */
export function regexMask(column: MaskedColumn, { inputMax, matches, replace }: RegexParts): ColumnMask {
  return {
    needs: [],
    mask(value) {
      const text = value instanceof Uint8Array ? null : String(value);
      if (text === '') return text;
      if (text === null || text.length > inputMax || !matches(text)) return defaultValue(column.type);
      return valueOfText(column.type, replace(text)) ?? defaultValue(column.type);
    },
  };
}

/** The groups of a pattern: names by number, null for one without. */
function groupsOf(regex: string): readonly (string | null)[] {
  const names: (string | null)[] = [];
  for (const [text, name] of regex.matchAll(
    /\\[\s\S]|\[(?:\\[\s\S]|[^\]\\])*\]|\((?:\?<(?![=!])([^>]*)>|(?!\?))/g,
  )) {
    if (text.startsWith('(')) names.push(name ?? null);
  }
  return names;
}

/** Texts and numbers of groups; a text that says what is wrong. Of `$12` as many digits count as name a group, as in Java. */
function piecesOf(
  replacement: string,
  groups: readonly (string | null)[],
): readonly (string | number)[] | string {
  const pieces: (string | number)[] = [];
  for (let at = 0; at < replacement.length; ) {
    const sign = replacement[at] ?? '';
    if (sign === '\\') {
      if (at + 1 === replacement.length) return 'ends with a lone backslash';
      pieces.push(replacement[at + 1] ?? '');
      at += 2;
    } else if (sign === '$') {
      const [reference = '', digits, name] =
        /^\$(?:(\d+)|\{([A-Za-z_]\w*)\})/.exec(replacement.slice(at)) ?? [];
      let used = reference.length;
      let group = groups.indexOf(name ?? '') + 1;
      if (digits !== undefined) {
        let length = digits.length;
        while (length > 1 && Number(digits.slice(0, length)) > groups.length) length--;
        group = Number(digits.slice(0, length));
        used = 1 + length;
        if (group > groups.length)
          return `names group ${group}, and the regular expression has ${groups.length}`;
      } else if (name === undefined) return 'has a $ without a group; write \\$ for the sign itself';
      else if (group === 0) return `names the group ${name}, which the regular expression does not have`;
      pieces.push(group);
      at += used;
    } else {
      pieces.push(sign);
      at++;
    }
  }
  return pieces;
}

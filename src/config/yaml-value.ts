import { parse, stringify } from 'yaml';

/** A text as a YAML scalar on one line that reads back as the same text; references (`${NAME}`) in it are escaped. */
export function yamlTextOf(text: string): string {
  return stringify(text.replaceAll('${', '$${'), {
    lineWidth: 0,
    defaultStringType: 'PLAIN',
    blockQuote: false,
  }).trimEnd();
}

/**
 * The value that a text has in YAML: `3` a number, `true` a truth value, `[a, b]` a list, `{ a: 1 }` a map. Everything else is a text, also what YAML would take for
 * something without brackets, such as `a: 1`, `?` or `*.log`.
 */
export function yamlValueOf(text: string): unknown {
  try {
    const value: unknown = parse(text, { prettyErrors: false }) ?? '';
    return typeof value !== 'object' || /^\s*[[{]/.test(text) ? value : text;
  } catch {
    return text;
  }
}

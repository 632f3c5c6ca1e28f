import { closest } from './closest.ts';

/** What came of expanding a text. Problems name variables, never values. */
export interface Expansion {
  readonly text: string;
  readonly problems: readonly { readonly problem: string; readonly suggestion: string | null }[];
}

const referencePattern = /\$\$\{|\$\{([^}]*)(\}|$)/g;
const namePattern = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

/**
 * Replaces `${NAME}` by the variable and `${NAME:-fallback}` by the variable or, when it is unset or empty, the fallback.
 * `$${` stands for a literal `${`. What a variable holds is not expanded again.
 */
export function expandReferences(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): Expansion {
  if (!text.includes('${')) return { text, problems: [] };
  const problems: { problem: string; suggestion: string | null }[] = [];
  const expanded = text.replace(
    referencePattern,
    (whole, body: string | undefined, end: string | undefined) => {
      if (body === undefined) return '${';
      const [, name, fallback] = end === '}' ? (namePattern.exec(body) ?? []) : [];
      if (name === undefined) {
        problems.push({
          problem: `expected an environment reference of the form \${NAME} or \${NAME:-fallback}`,
          suggestion: 'write $${ for the signs themselves',
        });
        return whole;
      }
      const value = environment[name];
      if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
      if (value === undefined) problems.push(unsetVariable(name, environment));
      return value ?? '';
    },
  );
  return { text: expanded, problems };
}

/** The sentence for a variable that is not set, with the name of one that is and looks alike. */
export function unsetVariable(
  name: string,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly problem: string; readonly suggestion: string | null } {
  const similar = closest(name, Object.keys(environment));
  return {
    problem: `the environment variable ${name} is not set`,
    suggestion: similar === null ? null : `did you mean ${similar}?`,
  };
}

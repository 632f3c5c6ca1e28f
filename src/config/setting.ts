import { z } from 'zod';

/** What a key of the data line file is: the reference and the messages about mistakes are made from it. */
export interface SettingDoc {
  /** As the reference prints it, for example `size` or `list of patterns`. */
  readonly type: string;
  /** Sentences for the reference. */
  readonly doc: string;
  /** As the reference prints it; null when the key must be given. */
  readonly fallback: string | null;
  /** Values are never quoted in messages. */
  readonly sensitive?: boolean;
  /** Keys below this one. */
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  /** For a map with names of the user's as keys: the placeholder for the name, and the schema of each value. */
  readonly entries?: { readonly name: string; readonly value: z.ZodType };
}

/** The documentation of every key, by its schema. */
export const settingDocs = new WeakMap<z.ZodType, SettingDoc>();

/** Carried in the params of the issues that this module raises. */
export interface SettingIssue {
  /** What should stand there; '' for a key that is missing. */
  readonly expected: string;
  readonly suggestion: string | null;
  /** The key itself is wrong, not what stands under it. */
  readonly ofKey?: boolean;
}

/** A value that a parser refuses: says what was expected, as `expected <text>`. */
export class Refusal {
  readonly issue: SettingIssue;
  constructor(expected: string, suggestion: string | null = null) {
    this.issue = { expected, suggestion };
  }
}

/** The default of a key, or that it has none. */
export type Fallback<T> = { readonly value: T; readonly text: string } | 'required';

/** What every key has to say of itself. */
export interface SettingText {
  readonly doc: string;
  readonly sensitive?: boolean;
}

/** An object schema refuses an absent key whose schema has no input of its own for it. */
export function absentAsNull<T>(schema: z.ZodType<T>): z.ZodType<T> {
  return z.preprocess(input => input ?? null, schema);
}

/** A key whose value `parse` makes of what was written. */
export function setting<T>(
  about: SettingText & { readonly type: string },
  fallback: Fallback<T>,
  parse: (input: unknown) => T | Refusal,
): z.ZodType<T> {
  const transformed = z.unknown().transform((input, context): T => {
    // An empty value (`start:`) counts as not given, so that a line can be commented out half-way.
    if (input === undefined || input === null) {
      if (fallback !== 'required') return fallback.value;
      context.addIssue({ code: 'custom', params: { expected: '', suggestion: null } });
      return z.NEVER;
    }
    const parsed = parse(input);
    if (!(parsed instanceof Refusal)) return parsed;
    context.addIssue({ code: 'custom', params: { ...parsed.issue } });
    return z.NEVER;
  });
  const schema = absentAsNull(transformed);
  const printed = fallback === 'required' ? null : fallback.text;
  settingDocs.set(schema, { ...about, fallback: printed });
  return schema;
}

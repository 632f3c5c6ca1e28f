import { z } from 'zod';
import { closest } from './closest.ts';
import { parseDuration, parseSize } from './quantity.ts';

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
class Refusal {
  readonly issue: SettingIssue;
  constructor(expected: string, suggestion: string | null = null) {
    this.issue = { expected, suggestion };
  }
}

/** The default of a key, or that it has none. */
export type Fallback<T> = { readonly value: T; readonly text: string } | 'required';

interface SettingText {
  readonly doc: string;
  readonly sensitive?: boolean;
}

/** An object schema refuses an absent key whose schema has no input of its own for it. */
function absentAsNull<T>(schema: z.ZodType<T>): z.ZodType<T> {
  return z.preprocess(input => input ?? null, schema);
}

function setting<T>(
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

/** A text that fits a pattern. `expected` says so in words, for example `a host name`. */
export function text(
  about: SettingText & { readonly type?: string; readonly expected: string; readonly pattern: RegExp },
  fallback: Fallback<string>,
): z.ZodType<string> {
  return setting({ type: 'text', ...about }, fallback, input =>
    typeof input === 'string' && about.pattern.test(input) ? input : new Refusal(about.expected),
  );
}

/** A text or null, of any content: only where the key may be left out. */
export function optionalText(
  about: SettingText & { readonly type: string; readonly expected: string; readonly fallback: string },
): z.ZodType<string | null> {
  return setting<string | null>(about, { value: null, text: about.fallback }, input =>
    typeof input === 'string' && input !== '' ? input : new Refusal(about.expected),
  );
}

/** A whole number in a range; text of digits is taken too, as an environment reference gives it. */
export function whole<T extends number | null>(
  about: SettingText & { readonly min: number; readonly max: number },
  fallback: Fallback<number | T>,
): z.ZodType<number | T> {
  const { min, max } = about;
  return setting({ type: 'whole number', ...about }, fallback, input => {
    const digits = typeof input === 'string' && /^\d{1,15}$/.test(input.trim());
    const value = digits ? Number(input) : input;
    return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
      ? value
      : new Refusal(`a whole number from ${min} to ${max}`);
  });
}

/** A size such as `256KB` in bytes, at least `min`, at most `max`. */
export function size(
  about: SettingText & { readonly min: string; readonly max: string },
  fallback: Fallback<number>,
): z.ZodType<number> {
  return setting({ type: 'size', ...about }, fallback, input => sizeFrom(input, about));
}

/** A size in bytes, or `none` as null. */
export function sizeOrNone(
  about: SettingText & { readonly min: string; readonly max: string },
  fallback: Fallback<number | null>,
): z.ZodType<number | null> {
  return setting({ type: 'size or `none`', ...about }, fallback, input =>
    input === 'none' ? null : sizeFrom(input, about, ' or none'),
  );
}

function sizeFrom(input: unknown, range: { min: string; max: string }, or = ''): number | Refusal {
  const bytes = typeof input === 'string' ? parseSize(input) : null;
  const inRange =
    bytes !== null && bytes >= (parseSize(range.min) ?? 0) && bytes <= (parseSize(range.max) ?? 0);
  const unitless = typeof input === 'number' ? `write ${input}B for bytes` : null;
  return inRange
    ? bytes
    : new Refusal(`a size from ${range.min} to ${range.max}, such as 256KB${or}`, unitless);
}

/** A duration such as `7d` in milliseconds, or `none` as null. */
export function durationOrNone(
  about: SettingText,
  fallback: Fallback<number | null>,
): z.ZodType<number | null> {
  return setting({ type: 'duration or `none`', ...about }, fallback, input => {
    if (input === 'none') return null;
    const ms = typeof input === 'string' ? parseDuration(input) : null;
    const unitless = typeof input === 'number' ? `write ${input}d for days, ${input}h for hours` : null;
    return ms !== null && ms > 0 ? ms : new Refusal('a duration such as 7d, 12h or 30m, or none', unitless);
  });
}

/** True or false. */
export function flag(about: SettingText, fallback: boolean): z.ZodType<boolean> {
  return setting(
    { type: '`true` or `false`', ...about },
    { value: fallback, text: String(fallback) },
    input => {
      if (input === true || input === 'true') return true;
      if (input === false || input === 'false') return false;
      const meant = typeof input === 'string' ? closest(input, ['true', 'false']) : null;
      return new Refusal('true or false', meant === null ? null : `did you mean ${meant}?`);
    },
  );
}

/** An IANA time zone. */
export function timeZone(about: SettingText, fallback: string): z.ZodType<string> {
  return setting({ type: 'time zone', ...about }, { value: fallback, text: fallback }, input => {
    if (typeof input === 'string' && isTimeZone(input)) return input;
    const meant = typeof input === 'string' ? closest(input, Intl.supportedValuesOf('timeZone')) : null;
    return new Refusal(
      'an IANA time zone, such as UTC or Europe/Berlin',
      meant === null ? null : `did you mean ${meant}?`,
    );
  });
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    // The constructor is the only way to ask; it throws a RangeError for a name it does not know.
    return false;
  }
}

/** A list of texts, each of which is at most 200 characters long and not empty. */
export function patterns(about: SettingText, fallback: readonly string[]): z.ZodType<readonly string[]> {
  const printed = `[${fallback.map(pattern => `'${pattern}'`).join(', ')}]`;
  return setting<readonly string[]>(
    { type: 'list of patterns', ...about },
    { value: fallback, text: printed },
    input => {
      const asList = typeof input === 'string' && input !== '' ? `write ['${input}']` : null;
      const listed = Array.isArray(input) ? input : null;
      const texts = listed?.filter(item => typeof item === 'string' && item !== '' && item.length <= 200);
      return listed !== null && texts?.length === listed.length
        ? listed.map(String)
        : new Refusal("a list of table patterns, such as ['order_*']", asList);
    },
  );
}

/** A group of keys; other keys are mistakes. A section that is left out, or empty, has the defaults of its keys. */
export function section<S extends Readonly<Record<string, z.ZodType>>>(
  about: SettingText,
  shape: S,
): z.ZodType<z.output<z.ZodObject<S>>> {
  const object = z.strictObject(shape);
  const schema = z.preprocess(input => input ?? {}, object) as z.ZodType<z.output<z.ZodObject<S>>>;
  settingDocs.set(schema, { ...about, type: 'section', fallback: '', shape });
  return schema;
}

/** A map whose keys are names of the user's, at least one. */
export function named<T>(
  about: SettingText & {
    readonly name: string;
    readonly expected: string;
    readonly expectedName: string;
    readonly pattern: RegExp;
  },
  value: z.ZodType<T>,
): z.ZodType<Readonly<Record<string, T>>> {
  const schema = z.record(z.string(), value).check(context => {
    const names = Object.keys(context.value);
    if (names.length === 0) {
      context.issues.push(settingIssue(context.value, [], { expected: about.expected, suggestion: null }));
    }
    for (const name of names.filter(each => !about.pattern.test(each))) {
      context.issues.push(
        settingIssue(context.value, [name], { expected: about.expectedName, suggestion: null, ofKey: true }),
      );
    }
  });
  settingDocs.set(schema, { ...about, type: 'map', fallback: null, entries: { name: about.name, value } });
  return schema;
}

function settingIssue(input: unknown, path: (string | number)[], issue: SettingIssue) {
  return { code: 'custom' as const, input, path, params: { ...issue } };
}

/**
 * A key that may be a plain word or text, or a group of keys. `plain` turns anything but a map into the value, or is null when
 * that is not possible; a map goes to the form whose keys it shares most of.
 */
export function choice<T>(
  about: SettingText & {
    readonly type: string;
    readonly expected: string;
    readonly words?: readonly string[];
  },
  fallback: Fallback<T>,
  plain: (input: unknown) => { readonly value: T } | null,
  forms: readonly {
    readonly shape: Readonly<Record<string, z.ZodType>>;
    readonly make: (value: Record<string, unknown>) => T;
  }[],
): z.ZodType<T> {
  const transformed = z.unknown().transform((input, context): T => {
    if (input === undefined || input === null) {
      if (fallback !== 'required') return fallback.value;
      context.addIssue({ code: 'custom', params: { expected: '', suggestion: null } });
      return z.NEVER;
    }
    if (typeof input === 'object' && !Array.isArray(input)) {
      const form = nearestForm(Object.keys(input), forms);
      const parsed = z.strictObject(form?.shape ?? {}).safeParse(input);
      if (form !== undefined && parsed.success) return form.make(parsed.data);
      for (const issue of parsed.error?.issues ?? [])
        context.issues.push({ ...issue, input } as z.core.$ZodRawIssue);
      return z.NEVER;
    }
    const found = plain(input);
    if (found !== null) return found.value;
    const meant = typeof input === 'string' && about.words !== undefined ? closest(input, about.words) : null;
    const unquoted = typeof input === 'number' ? 'put it in quotes' : null;
    const suggestion = meant === null ? unquoted : `did you mean ${meant}?`;
    context.addIssue({ code: 'custom', params: { expected: about.expected, suggestion } });
    return z.NEVER;
  });
  const schema = absentAsNull(transformed);
  const shape = Object.assign({}, ...forms.map(form => form.shape)) as Record<string, z.ZodType>;
  settingDocs.set(schema, { ...about, fallback: fallback === 'required' ? null : fallback.text, shape });
  return schema;
}

function nearestForm<F extends { readonly shape: object }>(
  keys: readonly string[],
  forms: readonly F[],
): F | undefined {
  const shared = (form: F): number =>
    keys.filter(key => key in form.shape || closest(key, Object.keys(form.shape)) !== null).length;
  return forms.toSorted((a, b) => shared(b) - shared(a))[0];
}

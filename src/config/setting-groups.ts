import { z } from 'zod';
import { closest } from './closest.ts';
import { absentAsNull, type Fallback, type SettingIssue, type SettingText, settingDocs } from './setting.ts';

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

/** A group of keys that may be left out as a whole: null then, and where it is empty. */
export function optionalSection<S extends Readonly<Record<string, z.ZodType>>>(
  about: SettingText,
  shape: S,
): z.ZodType<z.output<z.ZodObject<S>> | null> {
  const object = z.strictObject(shape);
  const written = z.unknown().transform((input, context): z.output<z.ZodObject<S>> | null => {
    if (input === undefined || input === null) return null;
    const parsed = object.safeParse(input);
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues) context.issues.push({ ...issue, input } as z.core.$ZodRawIssue);
    return z.NEVER;
  });
  const optional = absentAsNull(written);
  settingDocs.set(optional, { ...about, type: 'section', fallback: 'none', shape });
  return optional;
}

/** A map whose keys are names of the user's, at least one unless it may be empty. */
export function named<T>(
  about: SettingText & {
    readonly name: string;
    readonly expected: string;
    readonly expectedName: string;
    readonly pattern: RegExp;
    /** Whether the map may be left out or have no names. */
    readonly optional?: boolean;
  },
  value: z.ZodType<T>,
): z.ZodType<Readonly<Record<string, T>>> {
  const record = z.record(z.string(), value).check(context => {
    const names = Object.keys(context.value);
    if (names.length === 0 && about.optional !== true) {
      context.issues.push(settingIssue(context.value, [], { expected: about.expected, suggestion: null }));
    }
    for (const name of names.filter(each => !about.pattern.test(each))) {
      context.issues.push(
        settingIssue(context.value, [name], { expected: about.expectedName, suggestion: null, ofKey: true }),
      );
    }
  });
  const schema: z.ZodType<Readonly<Record<string, T>>> =
    about.optional === true ? z.preprocess(input => input ?? {}, record) : record;
  const fallback = about.optional === true ? 'none' : null;
  settingDocs.set(schema, { ...about, type: 'map', fallback, entries: { name: about.name, value } });
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

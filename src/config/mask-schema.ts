import { z } from 'zod';
import { DATE_UNITS, MASK_KINDS, type MaskSpec } from '../masking/mask-spec.ts';
import { closest } from './closest.ts';
import { secret } from './connection-settings.ts';
import { absentAsNull, Refusal, setting, settingDocs } from './setting.ts';
import { named, section } from './setting-groups.ts';
import { duration, optionalText, text, whole } from './settings.ts';

/** A mask as the line file has it, with defaults: keys by name, so it holds no secret. */
export type WrittenMask =
  | { readonly type: 'default-value' | 'null' }
  | { readonly type: 'replace'; readonly with: string }
  | { readonly type: 'md5' | 'murmur3'; readonly salt: string | null; readonly saltColumn: string | null }
  | { readonly type: 'regex'; readonly regex: string; readonly replacement: string }
  | { readonly type: 'hmac-sha256'; readonly key: string; readonly length: number }
  | { readonly type: 'digits'; readonly key: string }
  | { readonly type: 'keep-edges'; readonly first: number; readonly last: number; readonly fill: string }
  | { readonly type: 'truncate'; readonly length: number }
  | { readonly type: 'bucket'; readonly size: string }
  | {
      readonly type: 'function';
      readonly module: string;
      readonly export: string;
      readonly columns: readonly string[] | 'all';
    };

const KEY_NAME = /^[A-Za-z0-9_-]{1,32}$/;
const anyText = (doc: string) =>
  text({ doc, expected: 'a text of up to 1,000 characters', pattern: /^[\s\S]{0,1000}$/ }, 'required');
const keyName = (doc: string) =>
  text({ type: 'name', doc, expected: 'the name of a key in masking.keys', pattern: KEY_NAME }, 'required');

const parameters = {
  with: anyText(
    '`replace`: what stands for every value; where it is no value of the column, the default value does.',
  ),
  salt: optionalText({
    type: 'name',
    doc: '`md5`, `murmur3`: the key of `masking.keys` that is hashed behind each value.',
    expected: 'the name of a key in masking.keys',
    fallback: 'none',
  }),
  saltColumn: optionalText({
    type: 'column',
    doc: '`md5`, `murmur3`: the column of the same row whose value is hashed behind each value.',
    expected: 'the name of a column',
    fallback: 'none',
  }),
  regex: anyText('`regex`: an expression that the whole value matches, or it becomes the default value.'),
  replacement: anyText('`regex`: what takes the place of each match; `$1` is its first group.'),
  key: keyName('`hmac-sha256`, `digits`: the key of `masking.keys`.'),
  length: whole<null>(
    {
      doc: '`hmac-sha256`: hexadecimal digits of a token, 16 to 64; default 64. `truncate`: characters that stay.',
      min: 0,
      max: 10_000,
    },
    { value: null, text: '64, or required' },
  ),
  first: whole<never>(
    { doc: '`keep-edges`: characters that stay in front.', min: 0, max: 1_000 },
    { value: 0, text: '0' },
  ),
  last: whole<never>(
    { doc: '`keep-edges`: characters that stay at the end.', min: 0, max: 1_000 },
    { value: 0, text: '0' },
  ),
  fill: text(
    {
      doc: '`keep-edges`: stands for each character between.',
      expected: 'one character',
      pattern: /^[\s\S]$/u,
    },
    { value: '*', text: '*' },
  ),
  size: setting<string>(
    {
      type: 'number, or a part of a date',
      doc: `\`bucket\`: the width of a bucket: a number above 0, or ${DATE_UNITS.join(', ')}.`,
    },
    'required',
    input => {
      const size = String(input);
      const isUnit = DATE_UNITS.some(unit => unit === size);
      const isStep = /^\d{1,30}(\.\d{1,30})?$/.test(size) && Number(size) > 0;
      return isUnit || isStep ? size : new Refusal(`a number above 0, or one of ${DATE_UNITS.join(', ')}`);
    },
  ),
  module: text(
    {
      type: 'path',
      doc: '`function`: a TypeScript or JavaScript module; relative paths count from the directory of this file.',
      expected: 'the path of a module, such as ./masks.ts',
      pattern: /^.+\.[cm]?[jt]s$/,
    },
    'required',
  ),
  export: text(
    {
      type: 'name',
      doc: '`function`: name of the function among the exports of the module.',
      expected: 'a name',
      pattern: /^[\w$]+$/,
    },
    { value: 'default', text: 'default' },
  ),
  columns: setting<readonly string[] | 'all'>(
    {
      type: '`all` or list of columns',
      doc: '`function`: other columns of the row that it is given.',
    },
    { value: [], text: 'none' },
    input => {
      if (input === 'all') return 'all';
      const listed = Array.isArray(input) && input.every(each => typeof each === 'string' && each !== '');
      return listed ? input.map(String) : new Refusal('all, or a list of column names, such as [country]');
    },
  ),
} as const;

type Parameter = keyof typeof parameters;

/** Which parameters a type has. */
const forms: Readonly<Record<MaskSpec['kind'], readonly Parameter[]>> = {
  'default-value': [],
  replace: ['with'],
  md5: ['salt', 'saltColumn'],
  murmur3: ['salt', 'saltColumn'],
  regex: ['regex', 'replacement'],
  'hmac-sha256': ['key', 'length'],
  digits: ['key'],
  'keep-edges': ['first', 'last', 'fill'],
  truncate: ['length'],
  bucket: ['size'],
  null: [],
  function: ['module', 'export', 'columns'],
};

/** A mask: its type alone, or keys. */
export const maskSchema: z.ZodType<WrittenMask> = maskSetting();

function maskSetting(): z.ZodType<WrittenMask> {
  const written = z.unknown().transform((input, context): WrittenMask => {
    const keys: Readonly<Record<string, unknown>> =
      typeof input === 'object' && input !== null ? { ...input } : { type: input };
    const type = MASK_KINDS.find(kind => kind === (keys['type'] === null ? 'null' : keys['type']));
    if (type === undefined) {
      const given = keys['type'];
      const meant = typeof given === 'string' ? closest(given, MASK_KINDS) : null;
      const suggestion = meant === null ? null : `did you mean ${meant}?`;
      const path = typeof input === 'object' && input !== null ? ['type'] : [];
      const expected = given === undefined ? '' : MASK_KINDS.join(', ');
      context.issues.push({ code: 'custom', input, path, params: { expected, suggestion } });
      return z.NEVER;
    }
    const shape = Object.fromEntries(forms[type].map(name => [name, parameters[name]]));
    const { type: _, ...rest } = keys;
    const parsed = z.strictObject(shape).safeParse(rest);
    if (!parsed.success) {
      for (const issue of parsed.error.issues)
        context.issues.push({ ...issue, input } as z.core.$ZodRawIssue);
      return z.NEVER;
    }
    // The shape is that of the type.
    const mask = { type, ...parsed.data } as unknown as WrittenMask;
    return mask.type === 'hmac-sha256' ? { ...mask, length: mask.length ?? 64 } : mask;
  });
  const schema = absentAsNull(written);
  settingDocs.set(schema, {
    type: 'a type, or keys',
    doc: `The mask: \`type\` is one of ${MASK_KINDS.map(kind => `\`${kind}\``).join(', ')}; a type without parameters may stand alone. See "Masking".`,
    fallback: null,
    shape: {
      type: text({ doc: 'What the mask does.', expected: 'a type', pattern: /./ }, 'required'),
      ...parameters,
    },
  });
  return schema;
}

/** `masks` of a schema: a mask by pattern of tables and columns, in order. */
export const masksSchema = named(
  {
    name: '<table.column>',
    doc: 'What masks the columns that a pattern matches, such as `*.phone` or `orders.card_*`: a table pattern, a dot, and a column pattern, in which case does not count. The first pattern that matches counts.',
    expected: 'patterns of columns',
    expectedName: 'a pattern of tables and one of columns with a dot between, such as *.phone',
    pattern: /^.{1,200}\..{1,200}$/s,
    optional: true,
  },
  maskSchema,
);

/** The section `masking`: what masks need beside their rules. */
export const maskingSchema = section(
  { doc: 'What masks need beside their rules, which stand at each schema.' },
  {
    keys: named(
      {
        name: '<key>',
        doc: 'Keys and salts by name.',
        expected: 'names of keys',
        expectedName: 'a name of up to 32 letters, digits, _ and -',
        pattern: KEY_NAME,
        optional: true,
      },
      secret('The key, at least 16 bytes for `hmac-sha256` and `digits`.', 'required'),
    ),
    timeout: duration(
      { doc: 'A function of yours that takes longer for one value has failed.', min: '10ms', max: '60s' },
      { value: 1_000, text: '1s' },
    ),
  },
);

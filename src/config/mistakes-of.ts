import type { z } from 'zod';
import { closest } from './closest.ts';
import { type KeyPath, type Mistake, pathText } from './mistake.ts';
import { type SettingDoc, type SettingIssue, settingDocs } from './setting.ts';
import type { YamlText } from './yaml-text.ts';

/** A mistake at a path, before its place in the file is looked up. */
export interface PathMistake {
  readonly path: KeyPath;
  readonly part: 'key' | 'value';
  readonly problem: string;
  readonly suggestion: string | null;
  readonly code?: Mistake['code'];
}

/** Mistakes that a schema found, with what was written there and what was probably meant. */
export function mistakesOf(
  issues: readonly z.core.$ZodIssue[],
  root: z.ZodType,
  yaml: YamlText,
): readonly PathMistake[] {
  return issues.flatMap(issue => {
    const path = issue.path.filter(part => typeof part !== 'symbol');
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map(key => unknownKey(root, path, key));
    }
    const params = issue.code === 'custom' ? (issue.params as Partial<SettingIssue> | undefined) : undefined;
    if (params?.expected === '' || (params === undefined && isAbsent(valueAt(yaml.value, path)))) {
      const doc = docAt(root, path);
      const kind = doc === undefined ? '' : ` (${doc.type.replaceAll('`', '')})`;
      return [{ path, part: 'key' as const, problem: `is missing${kind}`, suggestion: null }];
    }
    if (params?.ofKey === true) {
      return [{ path, part: 'key' as const, problem: `expected ${params.expected}`, suggestion: null }];
    }
    const expected = params?.expected ?? 'a group of keys';
    const problem = `expected ${expected}, found ${foundAt(root, path, yaml)}`;
    return [{ path, part: 'value' as const, problem, suggestion: params?.suggestion ?? null }];
  });
}

/** Adds file, line and column. */
export function placed(file: string, yaml: YamlText, mistake: PathMistake): Mistake {
  const { path, part, problem, suggestion, code = 'UMBUS_CONFIG_INVALID' } = mistake;
  return { code, file, ...yaml.placeOf(path, part), path: pathText(path), problem, suggestion };
}

function unknownKey(root: z.ZodType, path: KeyPath, key: string): PathMistake {
  const doc = docAt(root, path);
  const here = Object.keys(doc?.shape ?? {});
  // What stands in braces may be the secret itself: `{s3cret}` is a map with one key.
  if (doc?.sensitive)
    return {
      path,
      part: 'value',
      problem: `expected ${doc.type.replaceAll('`', '')}, found other keys`,
      suggestion: null,
    };
  if (here.includes(key)) {
    return {
      path: [...path, key],
      part: 'key',
      problem: 'cannot stand beside the other keys here',
      suggestion: null,
    };
  }
  const similar = closest(key, here);
  const elsewhere = similar === null ? keyPaths(root, []).filter(each => each.at(-1) === key) : [];
  let suggestion = here.length === 0 ? null : `the keys here are ${here.join(', ')}`;
  if (similar !== null) suggestion = `did you mean ${similar}?`;
  else if (elsewhere[0] !== undefined) suggestion = `did you mean ${pathText(elsewhere[0])}?`;
  return { path: [...path, key], part: 'key', problem: 'this key is not known', suggestion };
}

function foundAt(root: z.ZodType, path: KeyPath, yaml: YamlText): string {
  const value = valueAt(yaml.value, path);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object' && value !== null)
    return Object.keys(value).length === 0 ? 'no keys' : 'keys';
  const written = yaml.writtenAt(path);
  const sensitive = path.some((_, index) => docAt(root, path.slice(0, index + 1))?.sensitive);
  if (written === null || sensitive || written.length > 80)
    return typeof value === 'number' ? 'a number' : 'a text';
  return JSON.stringify(written);
}

function valueAt(root: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>(
    (value, part) => (value as Record<string | number, unknown> | null | undefined)?.[part],
    root,
  );
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function docAt(root: z.ZodType, path: KeyPath): SettingDoc | undefined {
  let doc = settingDocs.get(root);
  for (const part of path) {
    const child: z.ZodType | undefined = doc?.entries?.value ?? doc?.shape?.[part];
    doc = child === undefined ? undefined : settingDocs.get(child);
  }
  return doc;
}

function keyPaths(schema: z.ZodType, above: KeyPath): readonly KeyPath[] {
  const doc = settingDocs.get(schema);
  const children = Object.entries(doc?.shape ?? {}).map(([key, child]) => ({ path: [...above, key], child }));
  if (doc?.entries !== undefined)
    children.push({ path: [...above, doc.entries.name], child: doc.entries.value });
  return children.flatMap(({ path, child }) => [path, ...keyPaths(child, path)]);
}

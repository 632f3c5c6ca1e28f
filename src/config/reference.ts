import type { z } from 'zod';
import { lineSchema } from './line-schema.ts';
import { settingDocs } from './setting.ts';

/**
 * The reference of the data line file as a Markdown table: key, type, default, meaning. Made from the schema alone, so it is equal on
 * every machine. README holds it between `<!-- config-reference:begin -->` and `<!-- config-reference:end -->`.
 */
export function referenceMarkdown(): string {
  const rows = rowsOf(lineSchema, '');
  return ['| key | type | default | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

function rowsOf(schema: z.ZodType, path: string): readonly string[] {
  const doc = settingDocs.get(schema);
  if (doc === undefined) return [];
  const below = Object.entries(doc.shape ?? {});
  const children = below.flatMap(([key, child]) => rowsOf(child, path === '' ? key : `${path}.${key}`));
  const entries = doc.entries === undefined ? [] : rowsOf(doc.entries.value, `${path}.${doc.entries.name}`);
  if (path === '') return [...children, ...entries];
  const fallback = doc.fallback === null ? 'required' : cell(doc.fallback);
  return [
    `| \`${path}\` | ${doc.type.replaceAll('|', '\\|')} | ${fallback} | ${doc.doc.replaceAll('|', '\\|')} |`,
    ...children,
    ...entries,
  ];
}

function cell(fallback: string): string {
  if (fallback === '') return '';
  return fallback.includes('`') || fallback === 'none' || fallback.includes(' ')
    ? fallback
    : `\`${fallback}\``;
}

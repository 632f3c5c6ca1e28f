import { readFileSync } from 'node:fs';

const root = new URL('../../../', import.meta.url);

/** A document of the project, by its path from the root. */
export function readDocument(path: string): string {
  return readFileSync(new URL(path, root), 'utf8');
}

/** Contents of the fenced blocks of one language, in order. */
export function blocksOf(markdown: string, language: string): string[] {
  const fence = new RegExp(`^ *\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\`$`, 'gm');
  return [...markdown.matchAll(fence)].map(match => match[1] ?? '');
}

/** Anchors of a document's headings, as code hosts make them. */
export function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ +(.+)$/gm)].map(match =>
    (match[1] ?? '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Targets of the links of a document. */
export function linksOf(markdown: string): string[] {
  const prose = markdown.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '').replaceAll(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(match => match[1] ?? '');
}

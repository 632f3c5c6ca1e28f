import { globSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One import or re-export. */
export interface Import {
  /** As written. */
  readonly specifier: string;
  /** Path from the project's root for relative specifiers, null for packages. */
  readonly path: string | null;
  readonly typeOnly: boolean;
  /** `import(...)`: loaded when that line runs. */
  readonly late: boolean;
}

/** A TypeScript file as the layer test sees it. */
export interface SourceFile {
  /** From the project's root, with `/`. */
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly Import[];
  /** The text with comments, strings, templates and regular expressions blanked. */
  readonly code: string;
}

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Comments, strings, templates and regular expressions: whatever may hold text that only looks like code. */
const opaque =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`|(?<=[=(,:;!&|?{}[\n]\s*|return\s+)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/g;

const clause = String.raw`(?:\{[^}]*\}|\*(?:\s+as\s+\w+)?|\w+)(?:\s*,\s*(?:\{[^}]*\}|\*\s+as\s+\w+))?`;
const statement = new RegExp(
  String.raw`\b(?:import|export)\s+(type\s+)?${clause}\s+from\s*(['"])(.+?)\2|\bimport\s*\(?\s*()(['"])(.+?)\5`,
  'g',
);

/** Reads all TypeScript files below folders of the project. */
export function readSources(folders: readonly string[]): SourceFile[] {
  return folders
    .flatMap(folder => globSync(`${folder}/**/*.ts`, { cwd: root }))
    .sort()
    .map(path => sourceFile(path, readFileSync(`${root}${path}`, 'utf8')));
}

/** Takes one file's text apart. */
export function sourceFile(path: string, text: string): SourceFile {
  const imports: Import[] = [];
  const withoutComments = text.replace(opaque, token => (token.startsWith('/') ? blank(token) : token));
  for (const match of withoutComments.matchAll(statement)) {
    const specifier = match[3] ?? match[6];
    if (specifier === undefined) continue;
    const local = specifier.startsWith('.');
    imports.push({
      specifier,
      path: local ? posix.join(posix.dirname(path), specifier) : null,
      typeOnly: match[1] !== undefined,
      late: match[6] !== undefined && match[0].includes('('),
    });
  }
  return { path, lines: text.split('\n').length - 1, imports, code: text.replace(opaque, blank) };
}

function blank(token: string): string {
  return token.replace(/[^\n]/g, ' ');
}

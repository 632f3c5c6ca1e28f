/** The text form of golden cases; test/golden/README.md explains it. */
import { type AnyServerKind, allServerKinds } from './servers.ts';

export interface GoldenCase {
  readonly file: string;
  readonly name: string;
  /** The schema that its statements run in. */
  readonly schema: string;
  readonly servers: readonly AnyServerKind[];
  readonly statements: readonly string[];
  /** Lines that must come out, by kind of server. */
  readonly expected: Readonly<Record<AnyServerKind, readonly string[]>>;
  /** On which servers what the binlog has does not rebuild the tables. */
  readonly differs: readonly AnyServerKind[];
  readonly text: string;
}

const SECTION = /^=== ?(.*)$/;

const DIFFERS = /^-- differs(?: on ([a-z -]+))?:/;

function differsOn(line: string | undefined): readonly AnyServerKind[] {
  if (line === undefined) return [];
  const named = DIFFERS.exec(line)?.[1];
  return named === undefined ? allServerKinds : named.split(' ').filter(isServer);
}

/** Parses a case. Throws when a section is for an unknown server. */
export function parseCase(file: string, text: string): GoldenCase {
  const name = file.replace(/\.case$/, '');
  const sql: string[] = [];
  const sections: { readonly kinds: readonly string[]; readonly lines: string[] }[] = [];
  for (const line of text.split('\n')) {
    const section = SECTION.exec(line);
    if (section !== null)
      sections.push({ kinds: section[1]?.split(' ').filter(kind => kind !== '') ?? [], lines: [] });
    else if (sections.length === 0) sql.push(line);
    else if (line !== '') sections.at(-1)?.lines.push(line);
  }
  for (const { kinds } of sections) {
    for (const kind of kinds) if (!isServer(kind)) throw new Error(`${file}: no server is called ${kind}.`);
  }
  const sectionOf = (kind: AnyServerKind) =>
    sections.find(({ kinds }) => kinds.length === 0 || kinds.includes(kind));
  const linesOf = (kind: AnyServerKind) => sectionOf(kind)?.lines ?? [];
  return {
    file,
    name: sql[0]?.replace(/^-- /, '') ?? name,
    schema: `golden_${name.replaceAll('-', '_')}`,
    servers: allServerKinds.filter(kind => sectionOf(kind) !== undefined),
    statements: sql
      .filter(line => !line.startsWith('-- '))
      .join('\n')
      .split(/;[ ]*(?:\n|$)/)
      .map(statement => statement.trim())
      .filter(statement => statement !== ''),
    expected: { mariadb: linesOf('mariadb'), mysql: linesOf('mysql'), mysql56: linesOf('mysql56') },
    differs: differsOn(sql.find(line => DIFFERS.test(line))),
    text,
  };
}

/** The text of a case with other expected lines for a server, in the section that it has. */
export function writeExpected(golden: GoldenCase, kind: AnyServerKind, lines: readonly string[]): string {
  const parts = golden.text.split(/^(?====)/m);
  const mine = parts.findIndex(part => {
    const section = SECTION.exec(part.split('\n')[0] ?? '');
    return section !== null && (section[1] === '' || section[1]?.split(' ').includes(kind));
  });
  const head = parts[mine]?.split('\n')[0] ?? '===';
  parts[mine] = `${[head, ...lines].join('\n')}\n`;
  return parts.join('');
}

function isServer(kind: string): kind is AnyServerKind {
  return allServerKinds.some(each => each === kind);
}

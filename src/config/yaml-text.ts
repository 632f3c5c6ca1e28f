import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { expandReferences } from './environment.ts';
import type { KeyPath, Place } from './mistake.ts';

/** The environment that `${NAME}` references and secrets are read from. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Something wrong with the text itself, before any key is looked at. */
export interface TextMistake extends Place {
  readonly path: KeyPath;
  readonly problem: string;
  readonly suggestion: string | null;
}

/** A YAML text as plain values, with the place of each. */
export interface YamlText {
  readonly value: unknown;
  readonly mistakes: readonly TextMistake[];
  /** Place of the key or the value at a path; of the nearest enclosing one when the path is not in the text. */
  readonly placeOf: (path: KeyPath, part: 'key' | 'value') => Place;
  /** A scalar as written in the file, references not expanded; null when there is no scalar at the path. */
  readonly writtenAt: (path: KeyPath) => string | null;
}

/** Nesting beyond this is refused; it bounds aliases that contain each other too. */
const DEPTH_MAX = 16;
/** Nodes beyond this are refused; it bounds aliases that multiply. */
const NODES_MAX = 100_000;

interface Site {
  readonly key: number;
  readonly value: number;
  readonly written: string | null;
}

/**
 * Reads one YAML 1.2 document. `${NAME}` and `${NAME:-fallback}` in strings are replaced from the environment; `$${` stands for `${`.
 * All mistakes of the text are collected; their sentences quote nothing of the file, since any part of it may be a secret.
 */
export function readYamlText(text: string, environment: Environment): YamlText {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false });
  const place = (offset: number): Place => {
    const { line, col } = counter.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const mistakes: TextMistake[] = [];
  for (const error of [...document.errors, ...document.warnings]) {
    const problem = syntaxProblems[error.code] ?? 'this is not valid YAML';
    mistakes.push({ ...place(error.pos[0]), path: [], problem, suggestion: null });
  }
  const sites = new Map<string, Site>();
  const walk = new Walk(document, environment, sites, (offset, path, problem, suggestion) => {
    mistakes.push({ ...place(offset), path, problem, suggestion });
  });
  const value = walk.valueOf(document.contents, [], 0);
  const nearest = (path: KeyPath): Site | undefined => {
    for (let length = path.length; length >= 0; length--) {
      const site = sites.get(JSON.stringify(path.slice(0, length)));
      if (site !== undefined) return site;
    }
    return undefined;
  };
  return {
    value,
    mistakes,
    placeOf: (path, part) => {
      const exact = sites.has(JSON.stringify(path));
      const site = nearest(path);
      return place(site === undefined ? 0 : exact && part === 'value' ? site.value : site.key);
    },
    writtenAt: path => sites.get(JSON.stringify(path))?.written ?? null,
  };
}

class Walk {
  private readonly document: Document;
  private readonly environment: Environment;
  private readonly sites: Map<string, Site>;
  private readonly report: (
    offset: number,
    path: KeyPath,
    problem: string,
    suggestion: string | null,
  ) => void;
  private nodes = 0;

  constructor(
    document: Document,
    environment: Environment,
    sites: Map<string, Site>,
    report: (offset: number, path: KeyPath, problem: string, suggestion: string | null) => void,
  ) {
    this.document = document;
    this.environment = environment;
    this.sites = sites;
    this.report = report;
  }

  valueOf(node: Node | null | undefined, path: KeyPath, keyOffset: number, aliased = false): unknown {
    const offset = node?.range?.[0] ?? keyOffset;
    if (path.length > DEPTH_MAX || ++this.nodes > NODES_MAX) {
      // Reported once: deeper calls return at the same place in the same way.
      if (this.nodes <= NODES_MAX + 1)
        this.report(offset, path, 'this is nested too deeply or repeated too often', null);
      return undefined;
    }
    // What an alias stands for was written elsewhere, perhaps as a secret: it is not quoted.
    const written = isScalar(node) && !aliased ? (node.source ?? String(node.value)) : null;
    this.sites.set(JSON.stringify(path), { key: keyOffset, value: offset, written });
    if (isAlias(node)) {
      const target = node.resolve(this.document);
      if (target === undefined)
        this.report(offset, path, 'this alias has no anchor before it', 'quote a text that begins with *');
      return this.valueOf(target, path, offset, true);
    }
    if (isScalar(node)) return this.expand(node.value, path, offset);
    if (isSeq(node)) {
      return node.items.map((item, index) => {
        const child = item as Node | null;
        return this.valueOf(child, [...path, index], child?.range?.[0] ?? offset, aliased);
      });
    }
    if (isMap(node)) return this.mapOf(node.items, path, offset, aliased);
    return null;
  }

  private mapOf(
    items: readonly { key: unknown; value: unknown }[],
    path: KeyPath,
    offset: number,
    aliased: boolean,
  ): unknown {
    const value: Record<string, unknown> = {};
    for (const pair of items) {
      if (!isScalar(pair.key)) {
        this.report(offset, path, 'a key must be a text', null);
        continue;
      }
      const keyOffset = pair.key.range?.[0] ?? offset;
      // A name such as 2024 or on is meant as it is written.
      const written = pair.key.type === 'PLAIN' ? (pair.key.source ?? '') : String(pair.key.value);
      const name = String(this.expand(written, path, keyOffset));
      const child = this.valueOf(pair.value as Node | null, [...path, name], keyOffset, aliased);
      Object.defineProperty(value, name, {
        value: child,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
    return value;
  }

  private expand(value: unknown, path: KeyPath, offset: number): unknown {
    if (typeof value !== 'string') return value;
    const { text, problems } = expandReferences(value, this.environment);
    for (const { problem, suggestion } of problems) this.report(offset, path, problem, suggestion);
    return text;
  }
}

/** By the error codes of the YAML parser. Its own messages quote the text, which may be a secret. */
const syntaxProblems: Readonly<Record<string, string>> = {
  ALIAS_PROPS: 'an alias cannot have an anchor or tag of its own',
  BAD_ALIAS: 'this alias is not valid; quote a text that begins with *',
  BAD_COLLECTION_TYPE: 'the tag does not fit what follows it',
  BAD_DIRECTIVE: 'this YAML directive is not known',
  BAD_DQ_ESCAPE: 'this escape is not known in a double-quoted text; write it in single quotes',
  BAD_INDENT: 'the indentation does not fit the lines before it',
  BAD_PROP_ORDER: 'an anchor or tag stands in the wrong place',
  BAD_SCALAR_START: 'a text that begins with this sign must be quoted',
  BLOCK_AS_IMPLICIT_KEY: 'a second key on the same line; quote the text if it has a colon in it',
  BLOCK_IN_FLOW: 'an indented block cannot stand inside brackets',
  DUPLICATE_KEY: 'this key was given before',
  KEY_OVER_1024_CHARS: 'this key is too long',
  MISSING_CHAR: 'a colon, bracket or quote is missing',
  MULTILINE_IMPLICIT_KEY: 'a key must stand on one line; is a colon missing?',
  MULTIPLE_ANCHORS: 'a value can have one anchor only',
  MULTIPLE_DOCS: 'a data line file holds one document; a second one begins here',
  MULTIPLE_TAGS: 'a value can have one tag only',
  NON_STRING_KEY: 'a key must be a text',
  RESOURCE_EXHAUSTION: 'this is nested too deeply',
  TAB_AS_INDENT: 'a tab cannot be used to indent; use spaces',
  TAG_RESOLVE_FAILED: 'this tag is not known; quote a text that begins with !',
  UNEXPECTED_TOKEN: 'this sign was not expected here',
};

import { resolve } from 'node:path';
import { isUmbusError } from '../core/errors.ts';
import { unsetVariable } from './environment.ts';
import type { Line } from './line.ts';
import type { WrittenLine } from './line-schema.ts';
import type { PathMistake } from './mistakes-of.ts';
import { type MysqlAddress, parseMysqlUrl } from './mysql-url.ts';
import type { TlsFiles } from './source-schema.ts';
import type { Environment } from './yaml-text.ts';

/** What resolving needs from outside. */
export interface Surroundings {
  readonly environment: Environment;
  /** Relative paths count from here. */
  readonly directory: string;
  /** Throws UMBUS_CONFIG_UNREADABLE. */
  readonly readText: (file: string) => string;
}

/** A resolved line; to be used only when there are no mistakes. */
export interface Resolution {
  readonly line: Line;
  readonly mistakes: readonly PathMistake[];
  readonly warnings: readonly PathMistake[];
}

/** Mistakes between keys of the source. They are looked for in what was written, so that they are told with the schema's own. */
export function rawMistakes(written: unknown): readonly PathMistake[] {
  const source = keysOf(keysOf(written)['source']);
  const mistakes: PathMistake[] = [];
  const add = (key: string, problem: string, suggestion: string | null = null): void => {
    mistakes.push({ path: ['source', key], part: 'value', problem, suggestion });
  };
  const given = (key: string): boolean => source[key] !== undefined && source[key] !== null;
  const url = typeof source['url'] === 'string' ? parseMysqlUrl(source['url']) : null;
  if (url !== null && 'problem' in url) add('url', url.problem);
  const address = url === null || 'problem' in url ? null : url;
  if (!given('url') && !given('host')) {
    mistakes.push({
      path: ['source'],
      part: 'key',
      problem: 'needs url, or host and user',
      suggestion: null,
    });
  }
  if (given('url') && given('host')) add('host', 'given twice: url names the host too', 'remove one of them');
  if (address?.port != null && given('port'))
    add('port', 'given twice: url names the port too', 'remove one of them');
  if (address?.user != null && given('user'))
    add('user', 'given twice: url names the user too', 'remove one of them');
  if (address?.password != null && given('password')) {
    add('password', 'given twice: url holds a password too', 'remove the one in url');
  }
  const userless = (given('host') || address?.user === null) && !given('user');
  if (userless && !(given('url') && given('host'))) {
    mistakes.push({ path: ['source', 'user'], part: 'key', problem: 'is missing (text)', suggestion: null });
  }
  return mistakes;
}

/** Fills in what depends on other keys, on files and on the environment. */
export function resolveLine(written: WrittenLine, around: Surroundings): Resolution {
  const mistakes: PathMistake[] = [];
  const warnings: PathMistake[] = [];
  const url = written.source.url === null ? null : parseMysqlUrl(written.source.url);
  const address: MysqlAddress =
    url === null || 'problem' in url ? { host: '', port: null, user: null, password: null } : url;
  if (address.password !== null) {
    warnings.push(secretInFile(['source', 'url'], 'the password stands in the url'));
  } else if (written.source.password?.kind === 'text' && written.source.password.text !== '') {
    warnings.push(secretInFile(['source', 'password'], 'the password stands in this file'));
  }
  const { ds, source, log, topics } = written;
  const line: Line = {
    ds,
    source: {
      kind: 'mysql',
      host: source.host ?? address.host,
      port: source.port ?? address.port ?? 3306,
      user: source.user ?? address.user ?? '',
      password: passwordOf(written, around, mistakes) ?? address.password ?? '',
      serverId: source.serverId ?? serverIdOf(ds),
      tls: source.tls === null ? null : tlsOf(source.tls, around, mistakes),
      start: source.start,
    },
    schemas: written.schemas,
    log: {
      kind: 'embedded',
      dir: resolve(around.directory, log.embedded.dir ?? `.umbus/${ds}`),
      maxBytes: log.embedded.maxBytes,
    },
    topics: {
      partitions: topics.partitions,
      retentionMs: topics.retention,
      retentionBytes: topics.retentionBytes,
    },
    extractor: written.extractor,
    appender: written.appender,
  };
  return { line, mistakes, warnings };
}

/**
 * A replica server id for a line that names none: stable, from 1,000,000,000 up, where few servers and replicas have theirs. FNV-1a of the
 * name of the data source.
 */
export function serverIdOf(ds: string): number {
  let hash = 0x811c9dc5;
  for (const character of ds) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return 1_000_000_000 + (hash % 3_000_000_000);
}

function passwordOf(written: WrittenLine, around: Surroundings, mistakes: PathMistake[]): string | null {
  const ref = written.source.password;
  if (ref === null) return null;
  const missing = (key: string, problem: string, suggestion: string | null): null => {
    mistakes.push({
      path: ['source', 'password', key],
      part: 'value',
      problem,
      suggestion,
      code: 'UMBUS_SECRET_MISSING',
    });
    return null;
  };
  if (ref.kind === 'text') return ref.text;
  if (ref.kind === 'env') {
    const value = around.environment[ref.name];
    if (value !== undefined) return value;
    const { problem, suggestion } = unsetVariable(ref.name, around.environment);
    return missing('env', problem, suggestion);
  }
  try {
    return around.readText(resolve(around.directory, ref.path)).replace(/\r?\n$/, '');
  } catch (error) {
    if (!isUmbusError(error)) throw error;
    return missing('file', `the file cannot be read (${causeCode(error.cause)})`, null);
  }
}

function tlsOf(tls: TlsFiles, around: Surroundings, mistakes: PathMistake[]): Line['source']['tls'] {
  const read = (key: 'ca' | 'cert' | 'key'): string | null => {
    const path = tls[key];
    if (path === null) return null;
    try {
      return around.readText(resolve(around.directory, path));
    } catch (error) {
      if (!isUmbusError(error)) throw error;
      const problem = `the file cannot be read (${causeCode(error.cause)})`;
      mistakes.push({
        path: ['source', 'tls', key],
        part: 'value',
        problem,
        suggestion: null,
        code: 'UMBUS_CONFIG_UNREADABLE',
      });
      return null;
    }
  };
  if ((tls.cert === null) !== (tls.key === null)) {
    const problem = 'cert and key belong together; one of them is missing';
    mistakes.push({
      path: ['source', 'tls', tls.cert === null ? 'key' : 'cert'],
      part: 'key',
      problem,
      suggestion: null,
    });
  }
  return { ca: read('ca'), cert: read('cert'), key: read('key'), verify: tls.verify };
}

function secretInFile(path: readonly string[], problem: string): PathMistake {
  return {
    path,
    part: 'value',
    problem,
    suggestion: 'write password: { env: NAME } or { file: path } instead',
  };
}

function causeCode(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable';
}

function keysOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

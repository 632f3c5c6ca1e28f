import type { PathMistake } from './mistakes-of.ts';
import { parseMysqlUrl } from './mysql-url.ts';

/** Mistakes between keys. They are looked for in what was written, so that they are told with the schema's own. */
export function rawMistakes(written: unknown): readonly PathMistake[] {
  return [...sourceMistakes(written), ...logMistakes(written), ...registryMistakes(written)];
}

function sourceMistakes(written: unknown): readonly PathMistake[] {
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

function logMistakes(written: unknown): readonly PathMistake[] {
  const log = keysOf(keysOf(written)['log']);
  if (log['embedded'] == null || log['kafka'] == null) return [];
  const problem = 'cannot stand beside kafka: a line has one log';
  return [{ path: ['log', 'embedded'], part: 'key', problem, suggestion: 'remove one of them' }];
}

function registryMistakes(written: unknown): readonly PathMistake[] {
  const line = keysOf(written);
  if (line['registry'] != null) return [];
  return Object.entries(keysOf(line['schemas']))
    .filter(([, schema]) => keysOf(keysOf(schema)['result'])['format'] === 'avro')
    .map(([name]) => ({
      path: ['schemas', name, 'result', 'format'],
      part: 'value' as const,
      problem: 'avro needs a schema registry',
      suggestion: 'add registry: { url: ... }',
    }));
}

function keysOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

import { Buffer } from 'node:buffer';
import { subscribe } from '../../../src/consumer/index.ts';
import type { Log } from '../../../src/ports/log.ts';

/** By table, `schema.table`: each list of columns when it is another, the values of each row, and what ended. */
export type PublishedTables = ReadonlyMap<string, readonly string[]>;

/** All that a line has published of some schemas, as text. */
export async function publishedTables(log: Log, schemas: readonly string[]): Promise<PublishedTables> {
  const tables = new Map<string, string[]>();
  const heads = new Map<string, string>();
  const topics = schemas.map(schema => `test.${schema}.result`);
  for await (const { message } of subscribe({ log, topics, follow: false })) {
    const { protocol, schema, payload } = message;
    const [, , owner = '', name = '', version = ''] = schema.namespace.split('.');
    const table = `${owner}.${name}`;
    const mine = tables.get(table) ?? [];
    tables.set(table, mine);
    if (protocol.type === 'data_increment_termination') mine.push(`ended: ${schema.reason}`);
    if (protocol.type !== 'data_increment_data') continue;
    const head = schema.fields
      .slice(4)
      .map(({ name: column, type, nullable }) => `${column} ${type}${nullable ? '?' : ''}`);
    const text = `version ${version}: ${head.join(', ')} by ${schema.primaryKey?.join(', ') ?? 'none'}`;
    if (heads.get(table) !== text) mine.push(text);
    heads.set(table, text);
    for (const { tuple } of payload) mine.push(`${tuple[2]} ${JSON.stringify(tuple.slice(4))}`);
  }
  return tables;
}

const DEAD_LETTERS_AT_MOST = 10_000;

/** The tables of which something is parked, each with why. */
export async function parkedTables(log: Log): Promise<ReadonlyMap<string, string>> {
  const records = await log.tail({ topic: 'test_dead', partition: 0 }, DEAD_LETTERS_AT_MOST);
  const tables = new Map<string, string>();
  for (const { key, headers } of records) {
    const table = Buffer.from(key ?? []).toString();
    if (!tables.has(table)) tables.set(table, Buffer.from(headers['dead.message'] ?? []).toString());
  }
  return tables;
}

const LINES_SHOWN = 4;

/** Where a line has published something else than another, as sentences. What is parked has stopped: of those tables the beginning must be equal. */
export function differencesOf(
  mine: PublishedTables,
  theirs: PublishedTables,
  parked: ReadonlyMap<string, string>,
): readonly string[] {
  return [...new Set([...mine.keys(), ...theirs.keys()])].flatMap(table => {
    const [have, want] = [mine.get(table) ?? [], theirs.get(table) ?? []];
    const differing = have.findIndex((line, i) => line !== want[i]);
    const at = differing < 0 ? have.length : differing;
    if (differing < 0 && (have.length === want.length || parked.has(table))) return [];
    const shown = (lines: readonly string[]): string =>
      JSON.stringify(lines.slice(Math.max(0, at - LINES_SHOWN / 2), at + LINES_SHOWN / 2));
    return [`${table} differs at ${at}: published ${shown(have)}, with names ${shown(want)}`];
  });
}

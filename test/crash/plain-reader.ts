/** The simplest reader of a result topic, and what it ends with against the source. */
import { Buffer } from 'node:buffer';
import { crc32 } from 'node:zlib';
import { createConnection } from 'mysql2';
import { systemFieldCount } from '../../src/consumer/read.ts';
import { subscribe } from '../../src/consumer/subscribe.ts';
import type { Log } from '../../src/ports/log.ts';
import type { Server } from '../support/servers.ts';

/** What is compared. */
export interface PlainReading {
  readonly log: Log;
  /** A result topic that has this one table in one partition. */
  readonly topic: string;
  readonly server: Server;
  /** `schema.table`. */
  readonly table: string;
  /** Its first columns are its key. */
  readonly keyColumns: number;
}

/** Rows that only one side has, or that differ, and how many the source has. */
export interface PlainResult {
  readonly rows: number;
  readonly differences: number;
  /** The first few of the rows that differ, and all that the topic says of them. */
  readonly examples: readonly string[];
}

const MOST_EXAMPLES = 10;

/**
 * Applies the topic in order: what is inserted, updated or pulled is set, what is deleted or leaves its key is removed. It compares no ids, remembers no deletes, and keeps no batches. Then compares with the
 * source's own answer, which is streamed; of a row it keeps the key and a sum, so that millions fit.
 */
export async function readPlainly({
  log,
  topic,
  server,
  table,
  keyColumns,
}: PlainReading): Promise<PlainResult> {
  const held = new Map<string, number>();
  for await (const { key, gone, values } of changesOf(log, topic, keyColumns)) {
    if (gone) held.delete(key);
    else held.set(key, sumOf(values));
  }
  const wrong = new Map<string, string>();
  let rows = 0;
  let differences = 0;
  const differs = (key: string, how: string): void => {
    differences++;
    if (wrong.size < MOST_EXAMPLES) wrong.set(key, how);
  };
  await streamRows(server, table, values => {
    rows++;
    const key = values.slice(0, keyColumns).join('\0');
    if (held.get(key) !== sumOf(values))
      differs(
        key,
        `the source has ${JSON.stringify(values)}, the topic ${held.has(key) ? 'another' : 'none'}`,
      );
    held.delete(key);
  });
  for (const key of held.keys()) differs(key, 'only the topic has it');
  if (differences === 0) return { rows, differences, examples: [] };
  const examples = [...wrong].map(([key, how]) => `${key.replaceAll('\0', ' ')}: ${how}`);
  for await (const { key, offset, type, tuple } of changesOf(log, topic, keyColumns)) {
    if (wrong.has(key)) examples.push(`offset ${offset}: ${type} ${JSON.stringify(tuple)}`);
  }
  return { rows, differences, examples };
}

/** What a topic says of rows, in order. */
async function* changesOf(log: Log, topic: string, keyColumns: number) {
  for await (const { message, offset } of subscribe({ log, topics: [topic], follow: false })) {
    const { type } = message.protocol;
    const operation = message.schema.fields.findIndex(({ name }) => name === 'ums_op_');
    for (const { tuple } of message.payload) {
      const values = tuple.slice(systemFieldCount(type)).map(String);
      const gone = tuple[operation] === 'd' || tuple[operation] === 'b';
      yield { key: values.slice(0, keyColumns).join('\0'), gone, values, tuple, type, offset };
    }
  }
}

function sumOf(values: readonly string[]): number {
  return crc32(Buffer.from(values.join('\0'), 'utf8'));
}

async function streamRows(
  { host, port, user, password }: Server,
  table: string,
  each: (values: readonly string[]) => void,
): Promise<void> {
  const settings = { supportBigNumbers: true, bigNumberStrings: true, rowsAsArray: true };
  const connection = createConnection({ host, port, user, password, ...settings });
  try {
    await new Promise<void>((resolve, reject) => {
      connection
        .query(`SELECT * FROM ${table}`)
        .on('error', reject)
        .on('result', row => each(Array.from(row as unknown as Iterable<unknown>, String))) // rowsAsArray
        .on('end', () => resolve());
    });
  } finally {
    connection.destroy();
  }
}

import { Buffer } from 'node:buffer';
import { createMemoryLog, type MemoryLog } from '../../../src/adapters/memory/memory-log.ts';
import type { RawRun } from '../../../src/change/raw-run.ts';
import type { Line } from '../../../src/config/line.ts';
import { readLineText } from '../../../src/config/load-line.ts';
import type { Headers, OutgoingRecord } from '../../../src/ports/log.ts';

/** A line called `shop` with the schema `shop`, two partitions and a password that must never be printed. */
export function shopLine(): Line {
  const { line } = readLineText(
    'ds: shop\nsource: { url: "mysql://umbus:geheim-77@127.0.0.1:1" }\nschemas: { shop: {} }\ntopics: { partitions: 2 }\n',
    '/srv/shop.yaml',
    {},
  );
  if (line === null) throw new Error('The line of the test is not valid.');
  return line;
}

/** One event with nothing but a header: `seconds`, type 30, its size. */
export function bareEvent(seconds: number, size = 19): Buffer {
  const event = Buffer.alloc(size);
  event.writeUInt32LE(seconds, 0);
  event[4] = 30;
  event.writeUInt32LE(size, 9);
  return event;
}

/** A raw run of `events` bare events of shop.orders. */
export function rawRun(position: number, events: number, changes: Partial<RawRun> = {}): RawRun {
  const bytes = Buffer.concat(Array.from({ length: events }, (_, index) => bareEvent(1_700_000_000 + index)));
  return {
    kind: 'mysql-binlog',
    server: 'server-id:7',
    epoch: 1,
    file: 'binlog.000003',
    position,
    next: position + bytes.length,
    resume: { file: 'binlog.000003', position, gtid: '0-7-42' },
    checksum: false,
    captured: 1_700_000_100_000_000,
    filtered: 0,
    tables: [
      { schema: 'shop', table: 'orders', fingerprint: Buffer.alloc(8), map: Buffer.alloc(0), columns: '' },
    ],
    spans: [0, bytes.length],
    events: bytes,
    ...changes,
  };
}

/** A UMS message with one tuple. */
export function umsMessage(
  op: string,
  values: { readonly id: number; readonly note: string | null },
): Buffer {
  const field = (name: string, type: string, nullable: boolean) => ({ name, type, nullable, encoded: false });
  return Buffer.from(
    JSON.stringify({
      protocol: { type: 'data_increment_data', version: '1.3' },
      schema: {
        namespace: 'mysql.shop.shop.orders.0.0.0',
        fields: [
          field('ums_id_', 'long', false),
          field('ums_ts_', 'datetime', false),
          field('ums_op_', 'string', false),
          field('ums_uid_', 'string', false),
          field('id', 'long', false),
          field('note', 'string', true),
        ],
        primaryKey: ['id'],
      },
      payload: [
        {
          tuple: [
            '30000000004711',
            '2026-11-21 01:02:03.000000',
            op,
            '100000300000000047111',
            String(values.id),
            values.note,
          ],
        },
      ],
    }),
  );
}

/** A record to write. */
export function outgoing(
  topic: string,
  partition: number,
  key: string | null,
  value: Uint8Array | null,
  headers: Readonly<Record<string, string>> = {},
): OutgoingRecord {
  const bytes: Headers = Object.fromEntries(
    Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)]),
  );
  return {
    topic,
    partition,
    key: key === null ? null : Buffer.from(key),
    value,
    timestampMs: 1_700_000_000_000,
    headers: bytes,
  };
}

/** Headers of a dead letter. */
export function deadHeaders(code: string): Readonly<Record<string, string>> {
  return {
    'dead.topology': 'appender',
    'dead.stage': 'ums',
    'dead.task': 'appender-0',
    'dead.topic': 'shop.shop',
    'dead.partition': '0',
    'dead.offset': '12',
    'dead.code': code,
    'dead.message': 'The table shop.bad has a column that cannot be decoded.',
    'dead.at': '2026-11-21T01:02:03.000Z',
  };
}

/** A memory log with the topics of {@link shopLine} and the given records. */
export async function filledLog(records: readonly OutgoingRecord[]): Promise<MemoryLog> {
  const log = createMemoryLog();
  const topic = (name: string, partitions: number, cleanup: 'delete' | 'compact' = 'delete') => ({
    name,
    partitions,
    cleanup,
    retentionMs: null,
    retentionBytes: null,
  });
  await log.ensureTopics([
    topic('shop', 1),
    topic('shop.shop', 2),
    topic('shop.shop.result', 2),
    topic('shop_dead', 1),
    topic('shop_schema', 1),
    topic('umbus.shop.appender-tables-changelog', 2, 'compact'),
    topic('umbus.shop.appender-pulls-changelog', 2, 'compact'),
  ]);
  await using writer = await log.openWriter('test');
  if (records.length > 0) await writer.append(records);
  return log;
}

import type { Buffer } from 'node:buffer';
import { EventType } from '../binlog/event-type.ts';
import type { RowWriter } from '../binlog/rows/compile.ts';
import { UmbusError } from '../core/errors.ts';
import { dataMessage, messageKey } from '../ums/message.ts';
import { PlacingKey, placingColumns } from '../ums/placing-key.ts';
import { type TupleBuffer, viewOf } from '../ums/tuple-buffer.ts';
import type { TuplePrefix } from '../ums/tuple-prefix.ts';
import type { TableDecoder } from './append-decoders.ts';
import { OpenMessage } from './append-message.ts';
import type { AppendSettings } from './append-options.ts';
import type { TablePlacing } from './append-placing.ts';
import type { WindowPlace } from './pull-state.ts';

/** Where the rows of a page go. */
export interface PageTarget {
  readonly schema: string;
  readonly table: string;
  readonly version: number;
  readonly innerVersion: number;
  readonly batch: number;
  /** Partition of a table whose rows are all in one. */
  readonly home: number;
  readonly placing: TablePlacing | null;
  /** A buffer, which the target takes back. */
  lend(): TupleBuffer;
  push(partition: number, key: Buffer, value: Buffer, wide?: readonly string[]): void;
}

/** What pages of all tables share. */
export interface PageShared {
  readonly prefix: TuplePrefix;
  readonly settings: Pick<AppendSettings, 'ds' | 'maxRows' | 'maxBytes' | 'marks'>;
}

const ENVELOPE_END_BYTES = 1;

/**
 * Writes the row images of a page as messages of type `data_initial_data`, all with the ids and the time of the low watermark, and leaves out rows whose key `keeps` does not want; null keeps all. Returns how
 * many were written. `partial`: as the page's head has it. When it throws, nothing was. Errors: those of `WriteRows`; UMBUS_PULL_COLUMN for columns that may not be left out.
 */
export function writePage(
  images: Buffer,
  partial: boolean,
  decoder: TableDecoder,
  low: WindowPlace,
  target: PageTarget,
  { prefix, settings }: PageShared,
  keeps: ((key: string) => boolean) | null,
): number {
  const bitmap = partial ? (decoder.writer.columnCount + 7) >> 3 : 0;
  const writer = partial ? decoder.writer.partial(bitmap, EventType.WRITE_ROWS) : decoder.writer;
  const { placing, home } = target;
  if (placing !== null && writer.primaryKey.length === 0) throw scattered(target);
  if (partial) assertPartial(images, target, writer, settings);
  const header = decoder.header(target, true);
  const timeMs = low.seconds * 1000 + (low.micros < 0 ? 0 : Math.floor(low.micros / 1000));
  const key = messageKey('data_initial_data', header.namespace, timeMs, settings.ds);
  const most = Math.max(1, settings.maxBytes - header.bytes.length - ENVELOPE_END_BYTES);
  const made: [partition: number, value: Buffer][] = [];
  const open = new Map<number, OpenMessage>();
  const messageOf = (partition: number): OpenMessage => {
    const known = open.get(partition);
    if (known !== undefined) return known;
    const message = new OpenMessage(partition, target.lend(), settings.maxRows, (to, buffer, start, end) => {
      made.push([to, dataMessage(header.bytes, buffer.bytes.subarray(start, end))]);
    });
    message.begin(timeMs, most);
    open.set(partition, message);
    return message;
  };
  prefix.file(low.epoch, low.fileNumber);
  prefix.time(low.seconds, low.micros);
  prefix.page(low.position);
  const page = { images, from: bitmap, writer, prefix };
  const rows =
    keeps === null && placing === null
      ? writeAll(page, messageOf(home))
      : writeChosen(page, target, keeps, messageOf);
  for (const message of open.values()) message.end();
  for (const message of open.values()) message.flush();
  for (const [partition, value] of made) target.push(partition, key, value, decoder.wide);
  return rows;
}

/** Rows of a page, which begin at `from`, and what writes them. */
interface PageRows {
  readonly images: Buffer;
  readonly from: number;
  readonly writer: RowWriter;
  readonly prefix: TuplePrefix;
}

/** Writes all rows to one message after the other. */
function writeAll({ images, from, writer, prefix }: PageRows, message: OpenMessage): number {
  const { buffer } = message;
  const view = viewOf(images);
  for (let o = from; o < images.length; ) {
    const before = buffer.tuples;
    o = writer.rows(images, view, o, images.length, buffer, prefix, message.room, message.full);
    message.wrote(buffer.tuples - before);
  }
  return buffer.rows;
}

/** Writes rows one by one, each to the message of its partition. */
function writeChosen(
  { images, from, writer, prefix }: PageRows,
  { placing, home, lend }: PageTarget,
  keeps: ((key: string) => boolean) | null,
  messageOf: (partition: number) => OpenMessage,
): number {
  const columns = placingColumns(
    writer.primaryKey.map(name => writer.fields.findIndex(field => field.name === name)),
  );
  const rowKey = new PlacingKey();
  const placeKey = new PlacingKey();
  const row = lend();
  const view = viewOf(images);
  let rows = 0;
  for (let o = from; o < images.length; ) {
    row.clear();
    const first = prefix.length;
    o = writer.rows(images, view, o, images.length, row, prefix, 1, Number.POSITIVE_INFINITY);
    if (keeps !== null) {
      rowKey.read(row.bytes, first, columns);
      if (!keeps(rowKey.copy().toString('utf8'))) continue;
    }
    let partition = home;
    if (placing !== null) {
      placeKey.read(row.bytes, first, placing.columns);
      partition = placeKey.partition(placing.partitions);
    }
    messageOf(partition).add(row, row.length, 1);
    rows++;
  }
  return rows;
}

/** Refuses images that lack columns which place the rows, and all of them where results have no form for absent columns. `images`: the bitmap of those that are there, and more. */
function assertPartial(
  images: Buffer,
  { schema, table, placing }: PageTarget,
  { fields }: Pick<RowWriter, 'fields'>,
  { marks }: Pick<AppendSettings, 'marks'>,
): void {
  const place = `${schema}.${table}`;
  const isThere = (name: string): boolean => {
    const index = fields.findIndex(field => field.name === name);
    return (((images[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
  };
  const missing = placing?.names.find(name => !isThere(name));
  const why = marks(schema)
    ? missing === undefined
      ? null
      : `the column ${missing} places its rows and cannot be left out`
    : 'the results of its schema have no form for a column that is absent';
  if (why === null) return;
  throw new UmbusError('UMBUS_PULL_COLUMN', `The table ${place} cannot be pulled by some columns: ${why}.`, {
    details: { table: place },
  });
}

/** Readers know by their number that the rows of a table without a key are all there, which a partition cannot know of its own. */
function scattered({ schema, table }: PageTarget): UmbusError {
  const place = `${schema}.${table}`;
  return new UmbusError(
    'UMBUS_PULL_TABLE',
    `The table ${place} has no key, and its rows are placed by columns on many partitions: it cannot be pulled.`,
    { details: { table: place } },
  );
}

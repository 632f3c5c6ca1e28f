import type { Buffer } from 'node:buffer';
import { dataMessage, messageKey } from '../ums/message.ts';
import { PlacingKey, placingColumns } from '../ums/placing-key.ts';
import { TupleBuffer, viewOf } from '../ums/tuple-buffer.ts';
import type { TableDecoder } from './append-decoders.ts';
import { OpenMessage } from './append-message.ts';
import type { TablePlacing } from './append-placing.ts';
import type { AppendShared } from './append-table.ts';
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
  push(partition: number, key: Buffer, value: Buffer, wide?: readonly string[]): void;
}

const ENVELOPE_END_BYTES = 1;

/**
 * Writes the row images of a page as messages of type `data_initial_data`, all with the ids and the time of the low watermark, and leaves out rows whose key `keeps` does not want; null keeps all. Returns how
 * many were written. When it throws, nothing was. Errors: those of `WriteRows`.
 */
export function writePage(
  images: Buffer,
  decoder: TableDecoder,
  low: WindowPlace,
  target: PageTarget,
  shared: Pick<AppendShared, 'prefix' | 'settings'>,
  keeps: ((key: string) => boolean) | null,
): number {
  const { prefix, settings } = shared;
  const { writer } = decoder;
  const { placing, home } = target;
  const header = decoder.header(target, true);
  const timeMs = low.seconds * 1000 + (low.micros < 0 ? 0 : Math.floor(low.micros / 1000));
  const key = messageKey('data_initial_data', header.namespace, timeMs, settings.ds);
  const most = Math.max(1, settings.maxBytes - header.bytes.length - ENVELOPE_END_BYTES);
  const made: [partition: number, value: Buffer][] = [];
  const open = new Map<number, OpenMessage>();
  const messageOf = (partition: number): OpenMessage => {
    const known = open.get(partition);
    if (known !== undefined) return known;
    const message = new OpenMessage(
      partition,
      new TupleBuffer(),
      settings.maxRows,
      (to, buffer, start, end) => {
        made.push([to, dataMessage(header.bytes, buffer.bytes.subarray(start, end))]);
      },
    );
    message.begin(timeMs, most);
    open.set(partition, message);
    return message;
  };
  const columns = placingColumns(
    writer.primaryKey.map(name => writer.fields.findIndex(field => field.name === name)),
  );
  const rowKey = new PlacingKey();
  const placeKey = new PlacingKey();
  const row = new TupleBuffer();
  const view = viewOf(images);
  let rows = 0;
  prefix.file(low.epoch, low.fileNumber);
  prefix.time(low.seconds, low.micros);
  for (let o = 0; o < images.length; ) {
    row.clear();
    // All rows have the id of the watermark.
    prefix.event(low.position, 'i');
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
  for (const message of open.values()) message.end();
  for (const message of open.values()) message.flush();
  for (const [partition, value] of made) target.push(partition, key, value, decoder.wide);
  return rows;
}

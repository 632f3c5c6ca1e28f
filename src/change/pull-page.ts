/**
 * A page of a full pull on `<ds>.<schema>`: rows of one table as they stood between two watermarks, as row images. It has the form of a raw run, whose `tables` has the
 * one table and whose `events` are the images alone (ums-schema/README.md, "Pages of a full pull").
 */
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { ColumnMap, TableMap } from '../binlog/table-map-types.ts';
import { UmbusError } from '../core/errors.ts';
import type { RawRun, RawTable } from './raw-run.ts';

/** `kind` of a run that is a page. */
export const PAGE_KIND = 'mysql-pull';
/** Header of a page's record, with {@link PageHead} as JSON. */
export const PAGE_HEADER = 'pull';

/** What a page says of itself. */
export interface PageHead {
  /** The window that its rows were read in. */
  readonly token: string;
  /** Its number in the window, from 0. */
  readonly page: number;
  /** Rows in it. */
  readonly rows: number;
  /** Whether the images lack columns: the bitmap of those that they have, as in a row event, stands before them. Absent for no. */
  readonly partial?: true;
  /** Where its shard goes on behind it, for whoever reads on; null when the shard ends with it. */
  readonly next: string | null;
}

/** The columns of a page's rows. The key's columns are indexes, in key order; [] without a primary key. */
export interface PageColumns {
  readonly columns: readonly ColumnMap[];
  readonly primaryKey: readonly number[];
}

/** The entry of a table for its pages. Equal columns give equal bytes. */
export function pageTable(schema: string, table: string, { columns, primaryKey }: PageColumns): RawTable {
  const written = columns.map(column => ({
    ...column,
    labels: column.labels?.map(label => Buffer.from(label).toString('base64')) ?? null,
  }));
  const map = Buffer.from(
    JSON.stringify({ table: `${schema}.${table}`, columns: written, primaryKey }),
    'utf8',
  );
  const fingerprint = createHash('sha256').update(map).digest().subarray(0, 8);
  return { schema, table, map, fingerprint, columns: '' };
}

/** The table map that {@link pageTable} wrote down. */
export function pageTableMap({ schema, table, map }: RawTable): TableMap {
  // What pageTable wrote.
  const { columns, primaryKey } = JSON.parse(map.toString('utf8')) as {
    columns: readonly (Omit<ColumnMap, 'labels'> & { readonly labels: readonly string[] | null })[];
    primaryKey: readonly number[];
  };
  return {
    tableId: 0,
    schema,
    table,
    columns: columns.map(column => ({
      ...column,
      labels: column.labels?.map(label => Buffer.from(label, 'base64')) ?? null,
    })),
    primaryKey,
    named: true,
  };
}

/** A page of images. `capturedMs`: when it was read. */
export function pageRun(table: RawTable, images: Buffer, capturedMs: number): RawRun {
  return {
    kind: PAGE_KIND,
    server: '',
    epoch: 0,
    file: '',
    position: 0,
    next: 0,
    resume: { file: '', position: 0, gtid: '' },
    checksum: false,
    captured: Math.round(capturedMs * 1000),
    filtered: 0,
    tables: [table],
    spans: [0, images.length],
    events: images,
  };
}

/** The head of a page from the headers of its record. Errors: UMBUS_TOPOLOGY_DECODE. */
export function pageHead(headers: Readonly<Record<string, Uint8Array>>): PageHead {
  const bytes = headers[PAGE_HEADER];
  if (bytes === undefined) {
    throw new UmbusError(
      'UMBUS_TOPOLOGY_DECODE',
      `The record is a page of a pull, but has no header '${PAGE_HEADER}'.`,
    );
  }
  // What the puller wrote.
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as PageHead;
}

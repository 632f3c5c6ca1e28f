import { compileImages, ImageBuffer } from '../../binlog/result/compile-images.ts';
import { imageKey } from '../../binlog/result/image-key.ts';
import type { ResultColumn } from '../../binlog/result/result-column.ts';
import { eventsBuffer } from '../../change/raw-run.ts';
import type { PulledPage, PullRows } from '../../ports/pull-source.ts';
import { keyLiteral } from '../../sharding/key-column.ts';
import type { SplitKey } from '../../sharding/split-key.ts';
import type { ResultReader } from './result-reader.ts';

/** Memory of a page: for its first row, whose size nobody knows, and beside what it is to hold. */
const FIRST_BYTES = 64 * 1024;
const SPARE_BYTES = 64 * 1024;

/** What is read of a table. */
export interface SelectedRows {
  /** What the rows are in the order of; null for none. */
  readonly key: SplitKey | null;
  readonly columns: readonly ResultColumn[];
  /** As `PullTable.present`. */
  readonly present: Uint8Array | null;
}

/** The rows of one SELECT, as images in pages. */
export class MysqlPullRows implements PullRows {
  readonly #reader: ResultReader;
  readonly #columns: readonly ResultColumn[];
  readonly #key: SplitKey['columns'];
  readonly #indexes: readonly number[];
  readonly #images = new ImageBuffer(FIRST_BYTES, eventsBuffer);
  readonly #write;
  /** What a page begins with. */
  readonly #head: Uint8Array;
  #more = true;
  /** Whether the images are the caller's. */
  #taken = false;

  /** `reader`: its SELECT has begun. It is disposed with this. */
  constructor(reader: ResultReader, { columns, key, present }: SelectedRows) {
    this.#reader = reader;
    this.#columns = columns;
    this.#key = key?.columns ?? [];
    this.#indexes = this.#key.map(({ name }) => columns.findIndex(({ map }) => map.name === name));
    this.#write = compileImages(columns);
    this.#head = present ?? new Uint8Array();
    this.#images.put(this.#head);
  }

  /** Waits for the first row: until then the server need not have chosen the moment that it reads. */
  async begin(): Promise<void> {
    this.#more = await this.#reader.read(this.#images, this.#write, Number.POSITIVE_INFINITY, 1);
  }

  async page(maxBytes: number): Promise<PulledPage | null> {
    const images = this.#images;
    if (this.#taken) {
      if (!this.#more) return null;
      images.renew(maxBytes + SPARE_BYTES);
      images.put(this.#head);
      this.#taken = false;
    }
    if (this.#more) {
      images.room(maxBytes + SPARE_BYTES - images.length);
      this.#more = await this.#reader.read(images, this.#write, maxBytes, Number.POSITIVE_INFINITY);
    }
    if (images.rows === 0) return null;
    this.#taken = true;
    const values = imageKey(this.#columns, this.#indexes, images.bytes, images.lastStart);
    return {
      events: images.bytes.subarray(0, images.length),
      rows: images.rows,
      last: this.#key.map((column, i) => keyLiteral(column, values[i] ?? new Uint8Array())),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader[Symbol.asyncDispose]();
  }
}

import type { Buffer } from 'node:buffer';
import type { PulledPlace } from '../change/pull-signal.ts';
import type { RawTable } from '../change/raw-run.ts';
import type { MaskRules } from '../masking/mask-spec.ts';
import { batchMessage, messageKey } from '../ums/message.ts';
import { type LogicalName, namespaceOf, publishedName } from '../ums/namespace.ts';
import { TupleBuffer } from '../ums/tuple-buffer.ts';
import { TuplePrefix } from '../ums/tuple-prefix.ts';
import type { UmsBatch } from '../ums/types.ts';
import type { Zone } from '../ums/zone.ts';
import { DecoderCache } from './append-decoders.ts';
import { writePage } from './append-page-rows.ts';

/** A message of a copy. */
export interface CopiedMessage {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** How copies are written: as the appender writes. */
export interface CopyOptions {
  readonly ds: string;
  readonly maxRows: number;
  readonly maxBytes: number;
  readonly zone: Zone;
  readonly logical: LogicalName;
}

/** Makes messages of rows that go elsewhere than to the result topics: the same that the appender would write for them at their place. */
export class RowCopier {
  readonly #options: CopyOptions;
  readonly #decoders: DecoderCache;
  readonly #prefix: TuplePrefix;
  readonly #buffer = new TupleBuffer();

  constructor(options: CopyOptions) {
    this.#options = options;
    this.#decoders = new DecoderCache(options.ds, options.zone, () => true, options.logical);
    this.#prefix = new TuplePrefix(options.zone);
  }

  /** The messages of row images. `partial`: the images lack columns, and the bitmap of those that they have stands before them. Errors: those of `DecoderCache.ofPage` and `writePage`. */
  rows(
    page: RawTable,
    images: Buffer,
    partial: boolean,
    place: PulledPlace,
    masks: MaskRules,
  ): { readonly rows: number; readonly messages: readonly CopiedMessage[] } {
    const { schema, table } = page;
    this.#decoders.use(masks);
    const decoder = this.#decoders.ofPage(page);
    const messages: CopiedMessage[] = [];
    const { version, innerVersion, batchId: batch, at } = place;
    const target = {
      ...{ schema, table, version, innerVersion, batch },
      home: 0,
      placing: null,
      lend: () => {
        this.#buffer.clear();
        return this.#buffer;
      },
      push: (_: number, key: Buffer, value: Buffer) => {
        messages.push({ key, value });
      },
    };
    const settings = { ...this.#options, marks: () => true };
    const rows = writePage(images, partial, decoder, at, target, { prefix: this.#prefix, settings }, null);
    return { rows, messages };
  }

  /** The message that says where a copy of a table begins or ends. */
  notice(
    name: { readonly schema: string; readonly table: string },
    place: PulledPlace,
    batch: UmsBatch,
  ): CopiedMessage {
    const { ds, logical } = this.#options;
    const { seconds, micros } = place.at;
    const namespace = namespaceOf(ds, publishedName(logical, name), place.version);
    const timeMs = seconds * 1000 + (micros < 0 ? 0 : Math.floor(micros / 1000));
    return {
      key: messageKey('data_initial_data', namespace, timeMs, ds),
      value: batchMessage(namespace, place.batchId, batch),
    };
  }
}

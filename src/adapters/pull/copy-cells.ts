import { Buffer } from 'node:buffer';
import { isUmbusError } from '../../core/errors.ts';
import type { Coordination } from '../../ports/coordination.ts';

/** By pull and shard: from where on the rows of a shard that is not whole stand in its topic. */
const BEGUN = 'pulls/copying';
/** By pull and shard: that a shard is whole. */
const COPIES = 'pulls/copies';
/** By pull: which shard came last, and says that it ended. */
const ENDS = 'pulls/copied';

/** How far a shard is, as its topic had it at an offset. */
export interface CopyProgress {
  /** What stands behind is to be looked at, too. */
  readonly offset: string;
  /** Where the shard goes on, as its pages say; null: at its start. */
  readonly next: string | null;
  readonly rows: number;
}

/** The shards of an independent pull that are whole. */
export interface CopiedShards {
  readonly shards: number;
  readonly rows: number;
  /** How many there are in all; null before the last one is whole. */
  readonly of: number | null;
}

const encode = (value: unknown): Buffer => Buffer.from(JSON.stringify(value), 'utf8');

/** Reads and writes how far independent pulls are, in the line's coordination. Errors: UMBUS_COORDINATION_*. */
export class CopyCells {
  readonly #coordination: Coordination;

  constructor(coordination: Coordination) {
    this.#coordination = coordination;
  }

  /** How far a shard was when that was noted; null for one that nobody has begun. */
  async progress(pull: string, shard: number): Promise<CopyProgress | null> {
    return await this.#get<CopyProgress>(`${BEGUN}/${pull}/${shard}`);
  }

  async setProgress(pull: string, shard: number, progress: CopyProgress): Promise<void> {
    await this.#coordination.put(`${BEGUN}/${pull}/${shard}`, encode(progress));
  }

  /** Notes that a shard is whole. `last`: no other comes behind it. */
  async copied(pull: string, shard: number, rows: number, last: boolean): Promise<void> {
    await this.#coordination.put(`${COPIES}/${pull}/${shard}`, encode({ rows, last }));
  }

  async isCopied(pull: string, shard: number): Promise<boolean> {
    return (await this.#coordination.get(`${COPIES}/${pull}/${shard}`)) !== null;
  }

  async copies(pull: string): Promise<CopiedShards> {
    const cells = await this.#coordination.list(`${COPIES}/${pull}`);
    let rows = 0;
    let of: number | null = null;
    for (const { path, value } of cells) {
      const copied = decode<{ readonly rows: number; readonly last: boolean }>(value);
      rows += copied.rows;
      if (copied.last) of = Number(path.slice(path.lastIndexOf('/') + 1)) + 1;
    }
    return { shards: cells.length, rows, of };
  }

  /** Whether the one who has copied this shard is to say that the pull has ended: of several that see it at once, one. */
  async ends(pull: string, shard: number): Promise<boolean> {
    try {
      await this.#coordination.put(`${ENDS}/${pull}`, encode(shard), { ifVersion: 0n });
      return true;
    } catch (error) {
      if (!isUmbusError(error, 'UMBUS_COORDINATION_CONFLICT')) throw error;
    }
    // It may have died before it had said so, and comes again.
    return (await this.#get<number>(`${ENDS}/${pull}`)) === shard;
  }

  async forget(pull: string): Promise<void> {
    for (const prefix of [BEGUN, COPIES, ENDS]) {
      for (const { path } of await this.#coordination.list(`${prefix}/${pull}`)) {
        await this.#coordination.remove(path);
      }
    }
  }

  async #get<T>(path: string): Promise<T | null> {
    const cell = await this.#coordination.get(path);
    return cell === null ? null : decode<T>(cell.value);
  }
}

/** Cells under these paths are written here alone. */
function decode<T>(value: Uint8Array): T {
  return JSON.parse(Buffer.from(value).toString('utf8')) as T;
}

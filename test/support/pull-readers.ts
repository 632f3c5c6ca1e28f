/** The simplest readers of a table that is pulled. */
import type { UmsMessage } from '../../src/ums/types.ts';
import { PARTITION, type Published } from './pull-line.ts';

/** Applies messages in order, compares no ids and remembers no deletes. It takes rows of older batches away at the end of a whole one, or `keepsBatches` false: never. */
export class PlainReader {
  readonly #keepsBatches: boolean;
  /** By partition. */
  readonly #rows = new Map<number, Map<number, { readonly name: string; readonly batch: number }>>();
  #read = 0;

  /** `before`: rows that it has in the beginning, of the partition of a table whose rows are all in one. */
  constructor(keepsBatches: boolean, before: Iterable<readonly [number, string]> = []) {
    this.#keepsBatches = keepsBatches;
    for (const [id, name] of before) this.#of(PARTITION).set(id, { name, batch: -1 });
  }

  /** Applies what it has not read. */
  read(published: readonly Published[]): void {
    for (; this.#read < published.length; this.#read++) {
      const each = published[this.#read];
      if (each !== undefined) this.#apply(each);
    }
  }

  /** Begins to read at another place again. */
  goBackTo(index: number): void {
    this.#read = index;
  }

  /** Its rows by key; one that is on two partitions is called so. */
  get rows(): Map<number, string> {
    const all = new Map<number, string>();
    for (const rows of this.#rows.values()) {
      for (const [id, { name }] of rows) all.set(id, all.has(id) ? 'on two partitions' : name);
    }
    return all;
  }

  #of(partition: number) {
    const known = this.#rows.get(partition) ?? new Map<number, { name: string; batch: number }>();
    this.#rows.set(partition, known);
    return known;
  }

  #apply({ message: { protocol, schema, payload }, partition }: Published): void {
    const rows = this.#of(partition);
    const batch = schema.batchId ?? 0;
    if (protocol.type === 'data_increment_termination') {
      rows.clear();
      return;
    }
    if (this.#keepsBatches && schema.batch?.state === 'end') {
      for (const [id, row] of rows) if (row.batch < batch) rows.delete(id);
    }
    for (const { tuple } of payload) {
      const [, , op, , id, name] = tuple;
      if (op === 'd' || op === 'b') rows.delete(Number(id));
      else rows.set(Number(id), { name: String(name), batch });
    }
  }
}

/** Of a table without a key: takes the rows between a begin and its end for the table, and applies what changes. Rows may be equal. */
export class BagReader {
  #bag: string[] = [];
  #pulled: string[] = [];
  #read = 0;
  /** Batches that were whole. */
  ended = 0;

  read(published: readonly Published[]): void {
    for (; this.#read < published.length; this.#read++) {
      const message = published[this.#read]?.message;
      if (message !== undefined) this.#apply(message);
    }
  }

  get rows(): readonly string[] {
    return this.#bag.toSorted();
  }

  #apply({ protocol, schema, payload }: UmsMessage): void {
    const { batch } = schema;
    if (protocol.type === 'data_increment_termination') this.#bag = [];
    if (batch?.state === 'begin') this.#pulled = [];
    if (batch?.state === 'end') {
      this.#bag = this.#pulled;
      this.ended++;
    }
    if (protocol.type === 'data_increment_termination' || batch !== undefined) return;
    for (const { tuple } of payload) {
      const row = JSON.stringify(tuple.slice(-2));
      if (protocol.type === 'data_initial_data') this.#pulled.push(row);
      else if (tuple[2] === 'i' || tuple[2] === 'u') this.#bag.push(row);
      else if (this.#bag.includes(row)) this.#bag.splice(this.#bag.indexOf(row), 1);
    }
  }
}

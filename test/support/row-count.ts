import { type IndependentRow, independentRows } from './independent-reader.ts';

/** What a reader that is none of ours counts in a result topic. */
export interface RowCount {
  /** Rows as they stand there, repeats with them. */
  readonly raw: number;
  /** Rows that are there once more: same table and `ums_uid_` as an earlier one. */
  readonly repeats: number;
  /** Distinct rows by table and operation. */
  readonly counts: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Distinct rows of a table that come after a later one in their partition, as sentences. */
  readonly disorder: readonly string[];
  /** The first repeats, as sentences. */
  readonly repeated: readonly string[];
}

const EXAMPLES = 10;

/** Counts while rows come; knows each row that has been there. */
export class RowCounter implements RowCount {
  raw = 0;
  repeats = 0;
  readonly counts: Record<string, Record<string, number>> = {};
  readonly disorder: string[] = [];
  readonly repeated: string[] = [];
  readonly #seen = new Map<string, Set<bigint>>();
  readonly #last = new Map<string, bigint>();

  /** False when the row has been there before. */
  take({ topic, partition, offset, table, op, uid }: IndependentRow): boolean {
    this.raw += 1;
    const seen = this.#seen.get(table) ?? new Set<bigint>();
    this.#seen.set(table, seen);
    const where = `${topic}/${partition}@${offset}: ${table}, ums_uid_ ${uid}`;
    if (seen.has(uid)) {
      this.repeats += 1;
      if (this.repeated.length < EXAMPLES) this.repeated.push(`${where} is there again.`);
      return false;
    }
    seen.add(uid);
    const place = `${table}/${partition}`;
    const last = this.#last.get(place) ?? -1n;
    if (uid <= last && this.disorder.length < EXAMPLES) this.disorder.push(`${where} comes after ${last}.`);
    this.#last.set(place, uid);
    const ofTable = this.counts[table] ?? {};
    ofTable[op] = (ofTable[op] ?? 0) + 1;
    this.counts[table] = ofTable;
    return true;
  }
}

/** Counts the rows of a result topic with a `read_committed` reader that is none of ours. */
export async function countRows(bootstrap: readonly string[], topic: string): Promise<RowCount> {
  const counter = new RowCounter();
  for await (const row of independentRows(bootstrap, topic)) counter.take(row);
  return counter;
}

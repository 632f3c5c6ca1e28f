import { readUms } from '../../src/consumer/read.ts';
import { rows } from '../../src/consumer/rows.ts';
import type { Log } from '../../src/ports/log.ts';
import { independentRows } from '../support/independent-reader.ts';
import { RowCounter } from '../support/row-count.ts';

/** What a whole result topic shows. */
export interface Proof {
  readonly rows: number;
  /** Rows that are there once more. */
  readonly repeats: number;
  /** Sentences, one a broken rule; empty when all hold. */
  readonly violations: readonly string[];
}

/** A row of the crash workload. */
interface WorkloadRow {
  readonly table: string;
  readonly op: string;
  readonly uid: bigint;
  readonly values: Readonly<Record<string, unknown>>;
}

const MAX_VIOLATIONS = 20;
const READ_BYTES = 4 * 1024 * 1024;

/** Checks one row after another: `ums_uid_` of a table grows, the ledger and each counter go up by one. */
class Checker {
  readonly violations: string[] = [];
  readonly #lastUid = new Map<string, bigint>();
  readonly #lastOfCounter = new Map<unknown, number>();
  #ledger = 0;

  take({ table, op, uid, values }: WorkloadRow, where: string): void {
    const last = this.#lastUid.get(table);
    if (last !== undefined && uid <= last)
      this.say(`${where}: ${table} went from ums_uid_ ${last} to ${uid}.`);
    this.#lastUid.set(table, uid);
    if (table === 'ledger') this.#ledgerRow(Number(values['n']), where);
    if (table === 'counters' && op !== 'b') this.#counter(values['id'], Number(values['n']), where);
  }

  #ledgerRow(n: number, where: string): void {
    if (n !== this.#ledger + 1) this.say(`${where}: the ledger went from ${this.#ledger} to ${n}.`);
    this.#ledger = n;
  }

  #counter(id: unknown, n: number, where: string): void {
    const last = this.#lastOfCounter.get(id) ?? -1;
    if (n !== last + 1) this.say(`${where}: counter ${String(id)} went from ${last} to ${n}.`);
    this.#lastOfCounter.set(id, n);
  }

  say(violation: string): void {
    if (this.violations.length < MAX_VIOLATIONS) this.violations.push(violation);
  }
}

/**
 * Reads a result topic of the crash workload from its beginning and proves that no change was lost, none came twice, and each table's order
 * was kept: the ledger and each counter go up by one, and `ums_uid_` grows with each row of a table.
 */
export async function prove(log: Log, topic: string): Promise<Proof> {
  const checker = new Checker();
  let count = 0;
  const description = (await log.topics()).find(each => each.name === topic);
  for (let partition = 0; partition < (description?.partitions ?? 0); partition++) {
    const end = await log.offset({ topic, partition }, 'latest');
    for (let offset = 0n; offset < end; ) {
      const batch = await log.read(
        { topic, partition, offset },
        { maxBytes: READ_BYTES, maxWaitMs: 0 },
        new AbortController().signal,
      );
      for (const record of batch.records) {
        if (record.value === null) continue;
        const message = readUms(record.value);
        if (message.protocol.type !== 'data_increment_data') continue;
        const table = message.schema.namespace.split('.')[3] ?? '';
        for (const row of rows(message)) {
          count += 1;
          const uid = BigInt(row.uid);
          checker.take(
            { table, op: row.op, uid, values: row.values },
            `${topic}/${partition}@${record.offset}`,
          );
        }
      }
      offset = batch.nextOffset;
    }
  }
  return { rows: count, repeats: 0, violations: checker.violations };
}

/**
 * The same proof on Kafka, read by a `read_committed` reader that is none of ours. With `repeatsAllowed`, for at-least-once, a reader drops rows whose
 * `ums_uid_` it has seen, and the rules hold for what is left; without, a repeat is a violation.
 */
export async function proveIndependently(
  bootstrap: readonly string[],
  topic: string,
  repeatsAllowed: boolean,
): Promise<Proof> {
  const checker = new Checker();
  const counter = new RowCounter();
  for await (const row of independentRows(bootstrap, topic)) {
    if (counter.take(row)) checker.take(row, `${topic}/${row.partition}@${row.offset}`);
  }
  const repeated = repeatsAllowed ? [] : counter.repeated;
  return {
    rows: counter.raw - counter.repeats,
    repeats: counter.repeats,
    violations: [...repeated, ...checker.violations],
  };
}

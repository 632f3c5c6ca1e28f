import { readUms } from '../../src/consumer/read.ts';
import { rows } from '../../src/consumer/rows.ts';
import type { Log } from '../../src/ports/log.ts';
import type { UmsMessage } from '../../src/ums/types.ts';

/** What a whole result topic shows. */
export interface Proof {
  readonly rows: number;
  readonly messages: number;
  /** Sentences, one a broken rule; empty when all hold. */
  readonly violations: readonly string[];
}

const MAX_VIOLATIONS = 20;
const READ_BYTES = 4 * 1024 * 1024;

/** Checks one message after another. */
class Checker {
  readonly violations: string[] = [];
  rows = 0;
  messages = 0;
  readonly #lastUid = new Map<string, bigint>();
  readonly #lastOfCounter = new Map<unknown, number>();
  #ledger = 0;

  take(message: UmsMessage, where: string): void {
    this.messages += 1;
    if (message.protocol.type !== 'data_increment_data') return;
    const table = message.schema.namespace.split('.').slice(2, 4).join('.');
    for (const row of rows(message)) {
      this.rows += 1;
      const uid = BigInt(row.uid);
      const last = this.#lastUid.get(table);
      if (last !== undefined && uid <= last)
        this.#say(`${where}: ${table} went from ums_uid_ ${last} to ${uid}.`);
      this.#lastUid.set(table, uid);
      if (table.endsWith('.ledger')) this.#ledgerRow(Number(row.values['n']), where);
      if (table.endsWith('.counters') && row.op !== 'b')
        this.#counter(row.values['id'], Number(row.values['n']), where);
    }
  }

  #ledgerRow(n: number, where: string): void {
    if (n !== this.#ledger + 1) this.#say(`${where}: the ledger went from ${this.#ledger} to ${n}.`);
    this.#ledger = n;
  }

  #counter(id: unknown, n: number, where: string): void {
    const last = this.#lastOfCounter.get(id) ?? -1;
    if (n !== last + 1) this.#say(`${where}: counter ${String(id)} went from ${last} to ${n}.`);
    this.#lastOfCounter.set(id, n);
  }

  #say(violation: string): void {
    if (this.violations.length < MAX_VIOLATIONS) this.violations.push(violation);
  }
}

/**
 * Reads a result topic of the crash workload from its beginning and proves that no change was lost, none came twice, and each table's order
 * was kept: the ledger and each counter go up by one, and `ums_uid_` grows with each row of a table.
 */
export async function prove(log: Log, topic: string): Promise<Proof> {
  const checker = new Checker();
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
        const where = `${topic}/${partition}@${record.offset}`;
        if (record.value !== null) checker.take(readUms(record.value), where);
      }
      offset = batch.nextOffset;
    }
  }
  return { rows: checker.rows, messages: checker.messages, violations: checker.violations };
}

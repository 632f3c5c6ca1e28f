import type { UmbusError } from '../../core/errors.ts';
import type { Commit, CommittedOffset } from '../../ports/log.ts';
import type { PartitionError } from './calls.ts';
import { assertSuccess, type BrokerLinks, type Cluster } from './cluster.ts';
import { Coordinator } from './coordinators.ts';
import { offsetCommitCall } from './group-calls.ts';
import type { GroupMember } from './group-member.ts';
import type { KafkaLogOptions } from './options.ts';
import { type OutputGroup, OutputQueue } from './output-queue.ts';
import { idempotentIdentity, Producer, takeOver } from './producer.ts';
import { runTransaction, type TransactionContext } from './transaction.ts';

/**
 * The commits of a member. Without transactions: an idempotent producer, then the offsets. With them: one transaction a group of commits.
 *
 * Each partition number has a transactional id of its own, which its owner takes over before it reads the committed offset: that ends at once what a dead
 * owner left open, and fences it. A transaction is run by the producer of the lowest number that is held, whatever numbers it commits: TxnOffsetCommit
 * names the member's generation, which fences it for the others.
 */
export class MemberWrites {
  readonly #cluster: Cluster;
  readonly #options: KafkaLogOptions;
  readonly #group: string;
  readonly #member: GroupMember;
  readonly #links: BrokerLinks;
  readonly #queue: OutputQueue;
  readonly #transactions = new Map<number, TransactionContext>();
  #idempotent: Promise<Producer> | null = null;

  constructor(cluster: Cluster, options: KafkaLogOptions, group: string, member: GroupMember) {
    this.#cluster = cluster;
    this.#options = options;
    this.#group = group;
    this.#member = member;
    this.#links = cluster.newLinks();
    this.#queue = new OutputQueue({
      cluster,
      maxRecordBytes: options.maxRecordBytes,
      send: outputs => (options.transactions ? this.#transact(outputs) : this.#outputsFirst(outputs)),
    });
  }

  push({ outputs, offsets }: Commit): Promise<void> {
    return this.#queue.push(outputs, offsets);
  }

  fail(error: UmbusError): void {
    this.#queue.fail(error);
  }

  settled(): Promise<void> {
    return this.#queue.settled();
  }

  async close(): Promise<void> {
    await this.#links.close();
  }

  /** With transactions: fences the owners before. Errors: UMBUS_KAFKA_*. */
  async takeOver(numbers: readonly number[]): Promise<void> {
    if (!this.#options.transactions) return;
    const cluster = this.#cluster;
    await Promise.all(
      numbers.map(async number => {
        const id = `${this.#group}/${number}`;
        const coordinator = new Coordinator(cluster, 'transaction', id);
        const identity = await takeOver(cluster, this.#links, coordinator, id);
        const producer = new Producer(cluster, this.#links, this.#options.compression, identity);
        this.#transactions.set(number, { cluster, links: this.#links, coordinator, producer });
      }),
    );
  }

  async #outputsFirst({ batches, offsets }: OutputGroup): Promise<void> {
    if (batches.length > 0) await (await this.#producer()).produce(batches);
    if (offsets.length === 0) return;
    await this.#member.send(
      numbersOf(offsets),
      identity => offsetCommitCall(identity, offsets),
      answers => this.#assertCommitted(answers),
    );
  }

  async #transact({ batches, offsets }: OutputGroup): Promise<void> {
    const lowest = [...this.#member.held].sort((one, other) => one - other)[0];
    const context = lowest === undefined ? undefined : this.#transactions.get(lowest);
    // Without a partition there is nothing to be atomic with.
    if (context === undefined) return await this.#outputsFirst({ batches, offsets });
    await runTransaction(context, batches, {
      group: this.#group,
      offsets,
      send: call => this.#member.send(numbersOf(offsets), call, answers => this.#assertCommitted(answers)),
    });
  }

  async #producer(): Promise<Producer> {
    this.#idempotent ??= idempotentIdentity(this.#cluster).then(
      identity => new Producer(this.#cluster, this.#links, this.#options.compression, identity),
    );
    return await this.#idempotent;
  }

  #assertCommitted(answers: readonly PartitionError[]): void {
    for (const { topic, partition, error } of answers) {
      const doing = `commit the offset of ${topic}/${partition} for group ${this.#group}`;
      assertSuccess(error, { doing, topic, partition, group: this.#group });
    }
  }
}

function numbersOf(offsets: readonly CommittedOffset[]): readonly number[] {
  return offsets.map(({ partition }) => partition);
}

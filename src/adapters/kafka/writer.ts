import { UmbusError } from '../../core/errors.ts';
import type { OutgoingRecord, Writer } from '../../ports/log.ts';
import type { BrokerLinks, Cluster } from './cluster.ts';
import { Coordinator } from './coordinators.ts';
import type { KafkaLogOptions } from './options.ts';
import { OutputQueue } from './output-queue.ts';
import { Producer, takeOver } from './producer.ts';
import { runTransaction } from './transaction.ts';

/**
 * A writer whose id is its transactional id. Every append is a transaction, also in a log without transactions: only so is nothing of an older writer on
 * its way any more when a newer one is open. Appends that wait share a transaction.
 */
export class KafkaWriter implements Writer {
  readonly #id: string;
  readonly #queue: OutputQueue;
  readonly #links: BrokerLinks;
  readonly #ended: (writer: KafkaWriter) => void;
  #closed = false;

  private constructor(
    id: string,
    links: BrokerLinks,
    queue: OutputQueue,
    ended: (writer: KafkaWriter) => void,
  ) {
    this.#id = id;
    this.#links = links;
    this.#queue = queue;
    this.#ended = ended;
  }

  /** Errors: UMBUS_KAFKA_*. */
  static async open(
    id: string,
    cluster: Cluster,
    options: KafkaLogOptions,
    ended: (writer: KafkaWriter) => void,
  ): Promise<KafkaWriter> {
    const links = cluster.newLinks();
    try {
      const coordinator = new Coordinator(cluster, 'transaction', id);
      const identity = await takeOver(cluster, links, coordinator, id);
      const producer = new Producer(cluster, links, options.compression, identity);
      const context = { cluster, links, coordinator, producer };
      const queue = new OutputQueue({
        cluster,
        maxRecordBytes: options.maxRecordBytes,
        send: async ({ batches }) => {
          if (batches.length > 0) await runTransaction(context, batches, null);
        },
      });
      return new KafkaWriter(id, links, queue, ended);
    } catch (error) {
      await links.close();
      throw error;
    }
  }

  append(records: readonly OutgoingRecord[]): Promise<void> {
    if (this.#closed)
      return Promise.reject(new UmbusError('UMBUS_LOG_CLOSED', `The writer ${this.#id} was closed.`));
    return this.#queue.push(records, []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#queue.settled();
    await this.#links.close();
    this.#ended(this);
  }
}

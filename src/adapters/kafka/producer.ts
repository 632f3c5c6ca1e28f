import type { Buffer } from 'node:buffer';
import { isUmbusError } from '../../core/errors.ts';
import { brokerError, brokerErrorKind, passesByItself } from './broker-errors.ts';
import { assertSuccess, type BrokerLinks, type Cluster } from './cluster.ts';
import type { Coordinator } from './coordinators.ts';
import type { KafkaCompression } from './options.ts';
import { patiently } from './patience.ts';
import {
  initProducerIdCall,
  type PartitionBatch,
  type ProducerIdentity,
  produceCall,
} from './producer-calls.ts';
import { type EncodedRecords, finishBatch } from './record-batch.ts';

/** How long replicas may take to confirm a batch. */
const PRODUCE_TIMEOUT_MS = 10_000;
/** A request is closed when it holds so much; a broker refuses more than socket.request.max.bytes (100 MB). */
const REQUEST_BYTES = 8 * 1_048_576;
/** A transaction that is open for so long is aborted by the brokers: the bound on how long a dead producer can hold up readers. */
export const TRANSACTION_TIMEOUT_MS = 30_000;
/** Sequence numbers begin anew after this. */
const SEQUENCES = 2 ** 31;
const DUPLICATE = 46;

/** Where the records of a partition ended up: the offset after the last; null when the broker had them already. */
export type ProducedEnds = ReadonlyMap<EncodedRecords, bigint | null>;

/**
 * An idempotent producer: what is sent again after a lost answer is written once, in the order of the calls. After an error it is of no use any more,
 * since the brokers and it may count differently. One `produce` at a time.
 */
export class Producer {
  readonly identity: ProducerIdentity;
  readonly #cluster: Cluster;
  readonly #links: BrokerLinks;
  readonly #compression: KafkaCompression;
  readonly #sequences = new Map<string, number>();

  constructor(
    cluster: Cluster,
    links: BrokerLinks,
    compression: KafkaCompression,
    identity: ProducerIdentity,
  ) {
    this.#cluster = cluster;
    this.#links = links;
    this.#compression = compression;
    this.identity = identity;
  }

  /** Writes the batches, those of one partition in order. Errors: UMBUS_LOG_*, UMBUS_KAFKA_*. */
  async produce(batches: readonly EncodedRecords[]): Promise<ProducedEnds> {
    const ends = new Map<EncodedRecords, bigint | null>();
    // A request takes one batch of a partition: first those that come first, then the second ones.
    const rounds: EncodedRecords[][] = [];
    const counts = new Map<string, number>();
    for (const batch of batches) {
      const name = nameOf(batch);
      const turn = counts.get(name) ?? 0;
      counts.set(name, turn + 1);
      const round = rounds[turn];
      if (round === undefined) rounds[turn] = [batch];
      else round.push(batch);
    }
    for (const round of rounds) await this.#sendRound(round, ends);
    return ends;
  }

  async #sendRound(
    round: readonly EncodedRecords[],
    ends: Map<EncodedRecords, bigint | null>,
  ): Promise<void> {
    const pending = new Map<string, { readonly records: EncodedRecords; readonly sent: PartitionBatch }>();
    for (const records of round) {
      const sequence = this.#sequences.get(nameOf(records)) ?? 0;
      const batch = await finishBatch(records, this.#compression, this.identity, sequence);
      const { topic, partition } = records;
      pending.set(nameOf(records), { records, sent: { topic, partition, batch } });
    }
    const attempt = async (): Promise<void> => {
      const nodes = await this.#cluster.byLeader([...pending.values()].map(({ sent }) => sent));
      const answers = await Promise.allSettled(
        [...nodes].map(async ([nodeId, batches]) => {
          for (const request of requestsOf(batches)) await this.#send(nodeId, request, pending, ends);
        }),
      );
      throwWorst(answers);
    };
    let failures = 0;
    const forget = (error: unknown): void => {
      if (!isUmbusError(error)) return;
      for (const { records } of pending.values()) this.#cluster.forget(records.topic);
      // A leader that moves is found at once; what is met twice takes longer.
      failures += 1;
      if (failures === 2) this.#cluster.writesAgain(error);
    };
    await patiently(this.#cluster.clock, attempt, { recover: forget });
  }

  async #send(
    nodeId: number,
    batches: readonly PartitionBatch[],
    pending: Map<string, { readonly records: EncodedRecords }>,
    ends: Map<EncodedRecords, bigint | null>,
  ): Promise<void> {
    const { transactionalId } = this.identity;
    const answers = await this.#links.send(nodeId, produceCall(transactionalId, PRODUCE_TIMEOUT_MS, batches));
    let worst: number | null = null;
    let place = { doing: '', topic: '', partition: 0 };
    for (const { topic, partition, error, baseOffset } of answers) {
      const name = nameOf({ topic, partition });
      const records = pending.get(name)?.records;
      if (records === undefined) continue;
      if (error === 0 || error === DUPLICATE) {
        pending.delete(name);
        ends.set(records, baseOffset < 0n ? null : baseOffset + BigInt(records.count));
        this.#sequences.set(name, ((this.#sequences.get(name) ?? 0) + records.count) % SEQUENCES);
      } else if (worst === null || passesByItself(brokerErrorKind(worst))) {
        worst = error;
        place = { doing: `write to ${topic}/${partition}`, topic, partition };
      }
    }
    if (worst !== null) throw brokerError(worst, place);
  }
}

/** Takes over the transactional id: when it resolves, what older producers of it had open is aborted or committed, and they are refused. Errors: UMBUS_KAFKA_*. */
export async function takeOver(
  cluster: Cluster,
  links: BrokerLinks,
  coordinator: Coordinator,
  transactionalId: string,
): Promise<ProducerIdentity> {
  return await patiently(
    cluster.clock,
    async () => {
      const call = initProducerIdCall(transactionalId, TRANSACTION_TIMEOUT_MS);
      const { error, producerId, epoch } = await coordinator.send(links, call);
      assertSuccess(error, { doing: `open the producer ${transactionalId}` });
      return { transactionalId, producerId, epoch };
    },
    { recover: () => coordinator.forget() },
  );
}

/** A new idempotent producer that fences nobody. Errors: UMBUS_KAFKA_*. */
export async function idempotentIdentity(cluster: Cluster): Promise<ProducerIdentity> {
  return await patiently(cluster.clock, async () => {
    const { error, producerId, epoch } = await cluster.toAny(
      initProducerIdCall(null, TRANSACTION_TIMEOUT_MS),
    );
    assertSuccess(error, { doing: 'open an idempotent producer' });
    return { transactionalId: null, producerId, epoch };
  });
}

function nameOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${partition} ${topic}`;
}

function requestsOf(batches: readonly PartitionBatch[]): PartitionBatch[][] {
  const requests: PartitionBatch[][] = [];
  let room = 0;
  for (const batch of batches) {
    const last = requests.at(-1);
    if (last === undefined || sizeOf(batch.batch) > room) {
      requests.push([batch]);
      room = REQUEST_BYTES;
    } else last.push(batch);
    room -= sizeOf(batch.batch);
  }
  return requests;
}

function sizeOf(bytes: Buffer): number {
  return bytes.length;
}

/** Throws an error that does not pass rather than one that does: then trying again is in vain. */
function throwWorst(answers: readonly PromiseSettledResult<void>[]): void {
  let worst: { readonly error: unknown } | null = null;
  for (const answer of answers) {
    if (answer.status === 'fulfilled') continue;
    const { reason: error } = answer;
    const kafka = isUmbusError(error) ? error.details['kafka'] : undefined;
    const passing = typeof kafka !== 'string' || passesByItself(brokerErrorKind(kafka));
    if (worst === null || !passing) worst = { error };
  }
  if (worst !== null) throw worst.error;
}

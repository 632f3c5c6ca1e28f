import type { CommittedOffset, TopicPartition } from '../../ports/log.ts';
import { EARLIEST, LATEST, listOffsetsCall } from './admin-calls.ts';
import { assertSuccess, type BrokerLinks, type Cluster } from './cluster.ts';
import type { Coordinator } from './coordinators.ts';
import type { GroupIdentity } from './group-calls.ts';
import { passes, patiently } from './patience.ts';
import type { ProducedEnds, Producer } from './producer.ts';
import {
  addOffsetsCall,
  addPartitionsCall,
  endTransactionCall,
  type ProducerIdentity,
  txnOffsetCommitCall,
} from './producer-calls.ts';
import type { EncodedRecords } from './record-batch.ts';

/** An abort after an error is tried for so long; the transaction timeout does the rest. */
const ABORT_PATIENCE_MS = 2_000;
/** A committed transaction becomes readable this fast; beyond, another producer's open one holds the readers up. */
const VISIBLE_WITHIN_MS = { base: 2_000, perPartition: 15, longest: 10_000 } as const;
const VISIBLE_STEP_MS = { first: 1, longest: 50 } as const;
const FENCED_WITHIN_MS = 2_000;
const UNKNOWN_SERVER_ERROR = -1;
const CONCURRENT_TRANSACTIONS = 51;

/** The offsets of a transaction, and how to send them to the coordinator of the group. */
export interface TransactionOffsets {
  readonly group: string;
  readonly offsets: readonly CommittedOffset[];
  /** Sends what `call` makes for the member's generation. Errors: UMBUS_LOG_FENCED when the member has lost a partition. */
  readonly send: (call: (identity: GroupIdentity) => ReturnType<typeof txnOffsetCommitCall>) => Promise<void>;
}

/** What a transaction needs to know. */
export interface TransactionContext {
  readonly cluster: Cluster;
  readonly links: BrokerLinks;
  /** Of the producer's transactional id. */
  readonly coordinator: Coordinator;
  readonly producer: Producer;
}

/**
 * Writes records and offsets in one transaction: all or nothing, and readable when it resolves. After an error the producer is of no use any more; the
 * transaction is aborted unless it is not known whether it was committed.
 * Errors: UMBUS_LOG_FENCED, UMBUS_LOG_*, UMBUS_KAFKA_*.
 */
export async function runTransaction(
  context: TransactionContext,
  records: readonly EncodedRecords[],
  offsets: TransactionOffsets | null,
): Promise<void> {
  const { producer } = context;
  let ends: ProducedEnds;
  try {
    if (records.length > 0) await addPartitions(context, records);
    ends = await producer.produce(records);
    if (offsets !== null && offsets.offsets.length > 0) {
      await coordinated(context, addOffsetsCall(producer.identity, offsets.group), 'add offsets');
      await offsets.send(identity => txnOffsetCommitCall(producer.identity, identity, offsets.offsets));
    }
  } catch (error) {
    await abort(context);
    throw error;
  }
  await coordinated(context, endTransactionCall(producer.identity, true), 'commit a transaction');
  await readable(context, ends);
}

async function addPartitions(context: TransactionContext, records: readonly EncodedRecords[]): Promise<void> {
  const { cluster, links, coordinator, producer } = context;
  const places = new Map<string, TopicPartition>();
  for (const { topic, partition } of records) places.set(`${partition} ${topic}`, { topic, partition });
  const call = addPartitionsCall(producer.identity, [...places.values()]);
  await patiently(
    cluster.clock,
    async () => {
      for (const { topic, partition, error } of await coordinator.send(links, call)) {
        // Those beside a refused one are OPERATION_NOT_ATTEMPTED (55), which says nothing.
        if (error === 55) continue;
        const doing = `add ${topic}/${partition} to a transaction of ${named(producer.identity)}`;
        assertSuccess(error, { doing, topic, partition });
      }
    },
    { recover: () => coordinator.forget() },
  );
}

async function coordinated(
  context: TransactionContext,
  call: ReturnType<typeof endTransactionCall>,
  doing: string,
  patienceMs?: number,
): Promise<void> {
  const { cluster, links, coordinator, producer } = context;
  const { clock } = cluster;
  const fencedBy = clock.now() + FENCED_WITHIN_MS;
  await patiently(
    clock,
    async () => {
      const error = await coordinator.send(links, call);
      // A broker that is just fencing this producer fails so; a little later it says that it is fenced.
      const code = error === UNKNOWN_SERVER_ERROR && clock.now() < fencedBy ? CONCURRENT_TRANSACTIONS : error;
      assertSuccess(code, { doing: `${doing} of ${named(producer.identity)}` });
    },
    { recover: () => coordinator.forget(), ...(patienceMs === undefined ? {} : { patienceMs }) },
  );
}

/** Best effort: where it fails, the producer is fenced already or the transaction times out. */
async function abort(context: TransactionContext): Promise<void> {
  const call = endTransactionCall(context.producer.identity, false);
  await coordinated(context, call, 'abort a transaction', ABORT_PATIENCE_MS).catch(() => {});
}

/**
 * The coordinator answers when the outcome is durable, and writes the markers that make the records readable after that. Waits for them, so that who
 * has committed reads what it wrote.
 */
async function readable(context: TransactionContext, ends: ProducedEnds): Promise<void> {
  const { cluster, links } = context;
  const wanted = new Map<string, TopicPartition & { readonly end: bigint }>();
  for (const [{ topic, partition }, end] of ends)
    if (end !== null) wanted.set(`${partition} ${topic}`, { topic, partition, end });
  const { base, perPartition, longest } = VISIBLE_WITHIN_MS;
  const until = cluster.clock.now() + Math.min(base + perPartition * wanted.size, longest);
  for (let stepMs: number = VISIBLE_STEP_MS.first; wanted.size > 0; ) {
    try {
      for (const [nodeId, partitions] of await cluster.byLeader([...wanted.values()])) {
        const call = listOffsetsCall(partitions.map(each => ({ ...each, time: LATEST })));
        for (const { topic, partition, error, offset } of await links.send(nodeId, call)) {
          const name = `${partition} ${topic}`;
          if (error === 0 && offset >= (wanted.get(name)?.end ?? EARLIEST)) wanted.delete(name);
        }
      }
    } catch (error) {
      // It is durable; when it can be read is not worth an error.
      if (!passes(error)) return;
    }
    if (wanted.size === 0 || cluster.clock.now() >= until) return;
    await cluster.clock.sleep(stepMs);
    stepMs = Math.min(stepMs * 2, VISIBLE_STEP_MS.longest);
  }
}

function named(identity: ProducerIdentity): string {
  return identity.transactionalId ?? 'an idempotent producer';
}

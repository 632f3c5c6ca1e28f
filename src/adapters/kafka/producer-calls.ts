import type { Buffer } from 'node:buffer';
import type { CommittedOffset, TopicPartition } from '../../ports/log.ts';
import { type ApiCall, apiCall, byTopic, FETCH, type PartitionError, PRODUCE } from './calls.ts';
import type { GroupIdentity } from './group-calls.ts';

/** Who a producer is to the brokers: newer epochs of the same id fence older ones. */
export interface ProducerIdentity {
  /** Null: idempotent only. */
  readonly transactionalId: string | null;
  readonly producerId: bigint;
  readonly epoch: number;
}

/** InitProducerId v1. With a transactional id it ends what older producers of that id left open. */
export function initProducerIdCall(
  transactionalId: string | null,
  transactionTimeoutMs: number,
): ApiCall<{ readonly error: number; readonly producerId: bigint; readonly epoch: number }> {
  return apiCall(
    { key: 22, version: 1, name: 'InitProducerId' },
    writer => writer.text(transactionalId).int32(transactionTimeoutMs),
    reader => ({ error: reader.int16(), producerId: reader.int64(), epoch: reader.int16() }),
  );
}

/** AddPartitionsToTxn v1. */
export function addPartitionsCall(
  producer: ProducerIdentity,
  partitions: readonly TopicPartition[],
): ApiCall<readonly PartitionError[]> {
  return apiCall(
    { key: 24, version: 1, name: 'AddPartitionsToTxn' },
    writer =>
      writer
        .text(producer.transactionalId)
        .int64(producer.producerId)
        .int16(producer.epoch)
        .list(byTopic(partitions), ([topic, each]) =>
          writer.text(topic).list(each, ({ partition }) => writer.int32(partition)),
        ),
    reader =>
      reader
        .list(() => {
          const topic = reader.text();
          return reader.list(() => ({ topic, partition: reader.int32(), error: reader.int16() }));
        })
        .flat(),
  );
}

/** AddOffsetsToTxn v1; the answer is an error code. */
export function addOffsetsCall(producer: ProducerIdentity, group: string): ApiCall<number> {
  return apiCall(
    { key: 25, version: 1, name: 'AddOffsetsToTxn' },
    writer =>
      writer.text(producer.transactionalId).int64(producer.producerId).int16(producer.epoch).text(group),
    reader => reader.int16(),
  );
}

/** TxnOffsetCommit v3 (KIP-447): refused when the member is not in that generation any more. (kafkajs ends at v1, which names no member.) */
export function txnOffsetCommitCall(
  producer: ProducerIdentity,
  identity: GroupIdentity,
  offsets: readonly CommittedOffset[],
): ApiCall<readonly PartitionError[]> {
  return apiCall(
    { key: 28, version: 3, name: 'TxnOffsetCommit', flexible: true },
    writer =>
      writer
        .compactText(producer.transactionalId)
        .compactText(identity.group)
        .int64(producer.producerId)
        .int16(producer.epoch)
        .int32(identity.generation)
        .compactText(identity.memberId)
        .compactText(null)
        .compactList(byTopic(offsets), ([topic, each]) =>
          writer
            .compactText(topic)
            .compactList(each, ({ partition, offset, metadata }) =>
              writer.int32(partition).int64(offset).int32(-1).compactText(metadata).noTags(),
            )
            .noTags(),
        ),
    reader =>
      reader
        .compactList(() => {
          const topic = reader.compactText();
          const read = reader.compactList(() => {
            const result = { topic, partition: reader.int32(), error: reader.int16() };
            reader.tags();
            return result;
          });
          reader.tags();
          return read;
        })
        .flat(),
  );
}

/** EndTxn v1; the answer is an error code. */
export function endTransactionCall(producer: ProducerIdentity, commit: boolean): ApiCall<number> {
  return apiCall(
    { key: 26, version: 1, name: 'EndTxn' },
    writer =>
      writer.text(producer.transactionalId).int64(producer.producerId).int16(producer.epoch).bool(commit),
    reader => reader.int16(),
  );
}

/** A record batch on its way to a partition. */
export interface PartitionBatch extends TopicPartition {
  readonly batch: Buffer;
}

/** Where a batch went. */
export interface ProducedBatch extends PartitionError {
  readonly baseOffset: bigint;
}

/** Produce v7 with acks of all in-sync replicas, one batch for each partition. */
export function produceCall(
  transactionalId: string | null,
  timeoutMs: number,
  batches: readonly PartitionBatch[],
): ApiCall<readonly ProducedBatch[]> {
  return apiCall(
    { key: PRODUCE, version: 7, name: 'Produce', waitMs: timeoutMs },
    writer =>
      writer
        .text(transactionalId)
        .int16(-1)
        .int32(timeoutMs)
        .list(byTopic(batches), ([topic, each]) =>
          writer.text(topic).list(each, ({ partition, batch }) => writer.int32(partition).bytes(batch)),
        ),
    reader =>
      reader
        .list(() => {
          const topic = reader.text();
          return reader.list(() => {
            const partition = reader.int32();
            const error = reader.int16();
            const baseOffset = reader.int64();
            reader.int64();
            reader.int64();
            return { topic, partition, error, baseOffset };
          });
        })
        .flat(),
  );
}

/** Where a partition is to be read. */
export interface FetchPosition extends TopicPartition {
  readonly offset: bigint;
}

/** Of a partition what a broker sent. */
export interface FetchedPartition extends PartitionError {
  /** Offset after the last record that is committed. */
  readonly lastStableOffset: bigint;
  readonly logStartOffset: bigint;
  /** Aborted transactions with records in what was sent, by first offset. */
  readonly aborted: readonly { readonly producerId: bigint; readonly firstOffset: bigint }[];
  /** Record batches; the last one may be cut. */
  readonly records: Buffer;
}

/** Fetch v11 of committed records, without a fetch session. */
export function fetchCall(
  positions: readonly FetchPosition[],
  limits: { readonly maxBytes: number; readonly partitionBytes: number; readonly maxWaitMs: number },
): ApiCall<{ readonly error: number; readonly partitions: readonly FetchedPartition[] }> {
  return apiCall(
    { key: FETCH, version: 11, name: 'Fetch', waitMs: limits.maxWaitMs },
    writer =>
      writer
        .int32(-1)
        .int32(limits.maxWaitMs)
        .int32(1)
        .int32(limits.maxBytes)
        .int8(1)
        .int32(0)
        .int32(-1)
        .list(byTopic(positions), ([topic, each]) =>
          writer
            .text(topic)
            .list(each, ({ partition, offset }) =>
              writer.int32(partition).int32(-1).int64(offset).int64(-1n).int32(limits.partitionBytes),
            ),
        )
        .int32(0)
        .text(''),
    reader => {
      const error = reader.int16();
      reader.int32();
      const partitions = reader
        .list(() => {
          const topic = reader.text();
          return reader.list(() => {
            const partition = reader.int32();
            const code = reader.int16();
            reader.int64();
            const lastStableOffset = reader.int64();
            const logStartOffset = reader.int64();
            const aborted = reader.list(() => ({
              producerId: reader.int64(),
              firstOffset: reader.int64(),
            }));
            reader.int32();
            const records = reader.bytes();
            return { topic, partition, error: code, lastStableOffset, logStartOffset, aborted, records };
          });
        })
        .flat();
      return { error, partitions };
    },
  );
}

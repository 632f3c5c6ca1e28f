import type { Buffer } from 'node:buffer';
import type { CommittedOffset, TopicPartition } from '../../ports/log.ts';
import { type ApiCall, apiCall, byTopic, type PartitionError } from './calls.ts';

/** What a coordinator coordinates. */
export type CoordinatorKind = 'group' | 'transaction';

/** FindCoordinator v1. */
export function findCoordinatorCall(
  kind: CoordinatorKind,
  key: string,
): ApiCall<{ readonly error: number; readonly nodeId: number }> {
  return apiCall(
    { key: 10, version: 1, name: 'FindCoordinator' },
    writer => writer.text(key).int8(kind === 'group' ? 0 : 1),
    reader => {
      const error = reader.int16();
      reader.nullableText();
      return { error, nodeId: reader.int32() };
    },
  );
}

/** Of which generation of a group a request is. */
export interface GroupIdentity {
  readonly group: string;
  readonly generation: number;
  /** Given by the coordinator; empty before. */
  readonly memberId: string;
}

export interface JoinAnswer {
  readonly error: number;
  readonly generation: number;
  readonly leaderId: string;
  readonly memberId: string;
  /** Filled for the leader only. */
  readonly members: readonly { readonly memberId: string; readonly subscription: Buffer }[];
}

/** JoinGroup v5. Answered when all members have joined, or `rebalanceTimeoutMs` is over for those that have not. */
export function joinGroupCall(options: {
  readonly group: string;
  readonly memberId: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocol: string;
  readonly subscription: Uint8Array;
}): ApiCall<JoinAnswer> {
  return apiCall(
    { key: 11, version: 5, name: 'JoinGroup', waitMs: options.rebalanceTimeoutMs },
    writer =>
      writer
        .text(options.group)
        .int32(options.sessionTimeoutMs)
        .int32(options.rebalanceTimeoutMs)
        .text(options.memberId)
        .text(null)
        .text('consumer')
        .list([options], ({ protocol, subscription }) => writer.text(protocol).bytes(subscription)),
    reader => {
      const error = reader.int16();
      const generation = reader.int32();
      reader.text();
      const leaderId = reader.text();
      const memberId = reader.text();
      const members = reader.list(() => {
        const id = reader.text();
        reader.nullableText();
        return { memberId: id, subscription: reader.bytes() };
      });
      return { error, generation, leaderId, memberId, members };
    },
  );
}

/** SyncGroup v3. The leader brings the assignments of all. */
export function syncGroupCall(
  identity: GroupIdentity,
  assignments: readonly { readonly memberId: string; readonly assignment: Uint8Array }[],
  waitMs: number,
): ApiCall<{ readonly error: number; readonly assignment: Buffer }> {
  return apiCall(
    { key: 14, version: 3, name: 'SyncGroup', waitMs },
    writer =>
      writer
        .text(identity.group)
        .int32(identity.generation)
        .text(identity.memberId)
        .text(null)
        .list(assignments, ({ memberId, assignment }) => writer.text(memberId).bytes(assignment)),
    reader => ({ error: reader.int16(), assignment: reader.bytes() }),
  );
}

/** Heartbeat v3; the answer is an error code. */
export function heartbeatCall(identity: GroupIdentity): ApiCall<number> {
  return apiCall(
    { key: 12, version: 3, name: 'Heartbeat' },
    writer => writer.text(identity.group).int32(identity.generation).text(identity.memberId).text(null),
    reader => reader.int16(),
  );
}

/** LeaveGroup v2; the answer is an error code. */
export function leaveGroupCall(group: string, memberId: string): ApiCall<number> {
  return apiCall(
    { key: 13, version: 2, name: 'LeaveGroup' },
    writer => writer.text(group).text(memberId),
    reader => reader.int16(),
  );
}

/** OffsetCommit v5. */
export function offsetCommitCall(
  identity: GroupIdentity,
  offsets: readonly CommittedOffset[],
): ApiCall<readonly PartitionError[]> {
  return apiCall(
    { key: 8, version: 5, name: 'OffsetCommit' },
    writer => {
      writer.text(identity.group).int32(identity.generation).text(identity.memberId);
      writer.list(byTopic(offsets), ([topic, each]) =>
        writer
          .text(topic)
          .list(each, ({ partition, offset, metadata }) =>
            writer.int32(partition).int64(offset).text(metadata),
          ),
      );
    },
    reader =>
      reader
        .list(() => {
          const topic = reader.text();
          return reader.list(() => ({ topic, partition: reader.int32(), error: reader.int16() }));
        })
        .flat(),
  );
}

/** An offset as a group has committed it; -1 where it has none. */
export interface FetchedOffset extends CommittedOffset {
  readonly error: number;
}

/**
 * OffsetFetch v7 with `require_stable` (KIP-447): UNSTABLE_OFFSET_COMMIT while a transaction that commits one of the offsets is open. Null asks for all.
 * (kafkajs ends at v4, which gives the old offset then.)
 */
export function offsetFetchCall(
  group: string,
  partitions: readonly TopicPartition[] | null,
): ApiCall<{ readonly error: number; readonly offsets: readonly FetchedOffset[] }> {
  const topics = partitions === null ? null : byTopic(partitions);
  return apiCall(
    { key: 9, version: 7, name: 'OffsetFetch', flexible: true },
    writer =>
      writer
        .compactText(group)
        .compactList(topics, ([topic, each]) =>
          writer
            .compactText(topic)
            .compactList(each, ({ partition }) => writer.int32(partition))
            .noTags(),
        )
        .bool(true),
    reader => {
      const offsets = reader
        .compactList(() => {
          const topic = reader.compactText();
          const read = reader.compactList(() => {
            const partition = reader.int32();
            const offset = reader.int64();
            reader.int32();
            const metadata = reader.compactText();
            const error = reader.int16();
            reader.tags();
            return { topic, partition, offset, metadata, error };
          });
          reader.tags();
          return read;
        })
        .flat();
      return { error: reader.int16(), offsets };
    },
  );
}

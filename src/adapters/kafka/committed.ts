import type { CommittedOffset, TopicPartition } from '../../ports/log.ts';
import { listGroupsCall } from './admin-calls.ts';
import { assertSuccess, type Cluster } from './cluster.ts';
import { Coordinator } from './coordinators.ts';
import { type FetchedOffset, offsetFetchCall } from './group-calls.ts';
import { patiently } from './patience.ts';
import { TRANSACTION_TIMEOUT_MS } from './producer.ts';

/** An open transaction of an owner that died ends at its timeout, or when its partitions' new owners take over. */
const UNSTABLE_PATIENCE_MS = TRANSACTION_TIMEOUT_MS + 5_000;

/** Committed offsets in the order of `partitions`, null where there is none; waits for the end of transactions that commit some. Errors: UMBUS_KAFKA_*. */
export async function committedOffsets(
  cluster: Cluster,
  group: string,
  partitions: readonly TopicPartition[],
): Promise<readonly (CommittedOffset | null)[]> {
  const fetched = await fetchOffsets(cluster, group, partitions);
  return partitions.map(({ topic, partition }) => {
    const found = fetched.find(each => each.topic === topic && each.partition === partition);
    if (found === undefined || found.offset < 0n) return null;
    return { topic, partition, offset: found.offset, metadata: found.metadata };
  });
}

/** Names of groups that have committed something. Errors: UMBUS_KAFKA_*. */
export async function committingGroups(cluster: Cluster): Promise<readonly string[]> {
  await patiently(cluster.clock, () => cluster.refresh([]));
  const names = new Set<string>();
  for (const nodeId of cluster.nodeIds) {
    const { error, groups } = await patiently(cluster.clock, async () => {
      const answer = await cluster.links.send(nodeId, listGroupsCall());
      assertSuccess(answer.error, { doing: 'list the groups' });
      return answer;
    });
    if (error === 0) for (const group of groups) names.add(group);
  }
  const committing: string[] = [];
  for (const name of [...names].sort()) {
    const offsets = await fetchOffsets(cluster, name, null);
    if (offsets.some(({ offset }) => offset >= 0n)) committing.push(name);
  }
  return committing;
}

async function fetchOffsets(
  cluster: Cluster,
  group: string,
  partitions: readonly TopicPartition[] | null,
): Promise<readonly FetchedOffset[]> {
  const coordinator = new Coordinator(cluster, 'group', group);
  return await patiently(
    cluster.clock,
    async () => {
      const { error, offsets } = await coordinator.send(cluster.links, offsetFetchCall(group, partitions));
      const doing = `read the committed offsets of group ${group}`;
      assertSuccess(error, { doing, group });
      for (const { topic, partition, error: code } of offsets)
        assertSuccess(code, { doing, group, topic, partition });
      return offsets;
    },
    { recover: () => coordinator.forget(), patienceMs: UNSTABLE_PATIENCE_MS },
  );
}

import { assignPartitions, withoutStillOwned } from './assignment.ts';
import { brokerErrorKind } from './broker-errors.ts';
import type { ApiCall } from './calls.ts';
import { assertSuccess, type BrokerLinks, type Cluster } from './cluster.ts';
import { Coordinator } from './coordinators.ts';
import {
  type GroupIdentity,
  heartbeatCall,
  type JoinAnswer,
  joinGroupCall,
  leaveGroupCall,
  syncGroupCall,
} from './group-calls.ts';
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from './group-protocol.ts';

/** Name of the way in which partitions are shared; all members of a group must know it. */
const PROTOCOL = 'umbus';
const MEMBER_ID_REQUIRED = 79;
const LEAVE_WITHIN_MS = 2_000;

/** Of which group a member is, and how it takes part. */
export interface GroupShape {
  readonly cluster: Cluster;
  readonly group: string;
  readonly topics: readonly string[];
  /** How many partitions each of the topics has. */
  readonly partitions: number;
  readonly sessionTimeoutMs: number;
}

/** What a member says to the coordinator of its group. Errors of all: UMBUS_LOG_FENCED when the member is not known any more, UMBUS_KAFKA_*. */
export class GroupExchange {
  readonly links: BrokerLinks;
  readonly #shape: GroupShape;
  readonly #coordinator: Coordinator;

  constructor(shape: GroupShape) {
    this.#shape = shape;
    this.links = shape.cluster.newLinks();
    this.#coordinator = new Coordinator(shape.cluster, 'group', shape.group);
  }

  /** Looks the coordinator up anew at the next request. */
  forget(): void {
    this.#coordinator.forget();
  }

  send<Answer>(call: ApiCall<Answer>): Promise<Answer> {
    return this.#coordinator.send(this.links, call);
  }

  /** Resolves when all have joined. `named` is told the member id that the coordinator gives before it lets the member in. */
  async join(
    memberId: string,
    owned: readonly number[],
    generation: number,
    named: (memberId: string) => void,
  ): Promise<JoinAnswer> {
    const { group, topics, sessionTimeoutMs } = this.#shape;
    const subscription = encodeSubscription({ topics, owned, generation });
    for (let id = memberId; ; ) {
      const answer = await this.send(
        joinGroupCall({
          group,
          memberId: id,
          sessionTimeoutMs,
          rebalanceTimeoutMs: sessionTimeoutMs,
          protocol: PROTOCOL,
          subscription,
        }),
      );
      id = answer.memberId;
      named(id);
      if (answer.error === MEMBER_ID_REQUIRED) continue;
      assertSuccess(answer.error, { doing: `join group ${group}`, group });
      return answer;
    }
  }

  /** The numbers that are ours; null when the group shares anew already. The leader brings what all get. */
  async sync(identity: GroupIdentity, answer: JoinAnswer): Promise<readonly number[] | null> {
    const { group, sessionTimeoutMs } = this.#shape;
    const assignments = answer.leaderId === answer.memberId ? this.#share(answer) : [];
    const { error, assignment } = await this.send(syncGroupCall(identity, assignments, sessionTimeoutMs));
    if (brokerErrorKind(error).name === 'REBALANCE_IN_PROGRESS') return null;
    assertSuccess(error, { doing: `take part in group ${group}`, group });
    return decodeAssignment(assignment);
  }

  /** False when the group shares anew. */
  async heartbeat(identity: GroupIdentity): Promise<boolean> {
    const { group } = this.#shape;
    const error = await this.send(heartbeatCall(identity));
    if (brokerErrorKind(error).name === 'REBALANCE_IN_PROGRESS') return false;
    assertSuccess(error, { doing: `stay in group ${group}`, group });
    return true;
  }

  /** On the cluster's own links: on ours a join may be waiting. Best effort, never rejects: a silent member is expelled anyway. */
  async leave(memberId: string): Promise<void> {
    const { cluster, group } = this.#shape;
    if (memberId === '') return;
    const timer = new AbortController();
    const late = cluster.clock.sleep(LEAVE_WITHIN_MS, timer.signal);
    const leaving = this.#coordinator.send(cluster.links, leaveGroupCall(group, memberId));
    await Promise.race([leaving.catch(() => {}), late]);
    timer.abort();
  }

  #share(answer: JoinAnswer) {
    const { topics, partitions } = this.#shape;
    const members = answer.members.map(({ memberId, subscription }) => {
      const { owned, generation } = decodeSubscription(subscription);
      return { id: memberId, owned: owned.filter(number => number < partitions), generation };
    });
    const now = withoutStillOwned(members, assignPartitions(members, partitions));
    return [...now].map(([memberId, numbers]) => ({
      memberId,
      assignment: encodeAssignment(topics, numbers),
    }));
  }
}

import type { ApiCall } from './calls.ts';
import { assertSuccess, type BrokerLinks, type Cluster } from './cluster.ts';
import { type CoordinatorKind, findCoordinatorCall } from './group-calls.ts';

/** Finds the broker that coordinates a group or a transactional id, and remembers it. */
export class Coordinator {
  readonly #cluster: Cluster;
  readonly #kind: CoordinatorKind;
  readonly #key: string;
  #nodeId: number | null = null;

  constructor(cluster: Cluster, kind: CoordinatorKind, key: string) {
    this.#cluster = cluster;
    this.#kind = kind;
    this.#key = key;
  }

  /** Looks it up anew at the next request. */
  forget(): void {
    this.#nodeId = null;
  }

  /** Errors: UMBUS_KAFKA_*. Those that a moved coordinator gives make it be looked up anew. */
  async send<Answer>(links: BrokerLinks, call: ApiCall<Answer>): Promise<Answer> {
    const nodeId = await this.#find();
    try {
      return await links.send(nodeId, call);
    } catch (error) {
      this.forget();
      throw error;
    }
  }

  async #find(): Promise<number> {
    if (this.#nodeId !== null) return this.#nodeId;
    const { error, nodeId } = await this.#cluster.toAny(findCoordinatorCall(this.#kind, this.#key));
    const place = { doing: `find the coordinator of ${this.#kind} ${this.#key}` };
    assertSuccess(error, this.#kind === 'group' ? { ...place, group: this.#key } : place);
    if (!this.#cluster.nodeIds.includes(nodeId)) await this.#cluster.refresh([]);
    this.#nodeId = nodeId;
    return nodeId;
  }
}

import { isUmbusError, UmbusError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { TopicPartition } from '../../ports/log.ts';
import { type BrokerAddress, type ClusterMetadata, metadataCall, type TopicMetadata } from './admin-calls.ts';
import { type BrokerErrorPlace, brokerError, brokerErrorKind } from './broker-errors.ts';
import type { ApiCall } from './calls.ts';
import type { Connections, Link } from './connections.ts';
import type { KafkaNotice } from './options.ts';

/** A topic whose metadata says "unknown" is asked for so often: a broker learns of a new topic a little after the controller. */
const UNKNOWN_TOPIC_ATTEMPTS = 5;
const UNKNOWN_TOPIC_WAIT_MS = 50;

/** `host` and `port` of `host:port` or `[ipv6]:port`. Errors: UMBUS_KAFKA_SETTING. */
export function parseAddress(address: string): { readonly host: string; readonly port: number } {
  const split = address.lastIndexOf(':');
  const port = Number(address.slice(split + 1));
  const host = address.slice(0, split).replace(/^\[(.*)\]$/, '$1');
  if (split <= 0 || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new UmbusError(
      'UMBUS_KAFKA_SETTING',
      `The broker address '${address}' is not of the form host:port.`,
    );
  }
  return { host, port };
}

/** Throws our error for an error code of a broker; 0 is success. */
export function assertSuccess(error: number, place: BrokerErrorPlace): void {
  if (error !== 0) throw brokerError(error, place);
}

/** What is known of the cluster, and the links to its brokers that no waiting request is sent on. Shared by all of a log. */
export class Cluster {
  readonly clock: Clock;
  readonly #connections: Connections;
  readonly #seeds: readonly { readonly host: string; readonly port: number }[];
  readonly #notify: (notice: KafkaNotice) => void;
  readonly #topics = new Map<string, TopicMetadata>();
  #brokers = new Map<number, BrokerAddress>();
  #controllerId = -1;
  #away = false;
  /** Links for requests that are answered at once. */
  readonly links: BrokerLinks;
  #seedLink: Promise<Link> | null = null;
  #closed = false;

  constructor(
    connections: Connections,
    brokers: readonly string[],
    clock: Clock,
    notify: (notice: KafkaNotice) => void,
  ) {
    this.#connections = connections;
    this.#seeds = brokers.map(parseAddress);
    this.clock = clock;
    this.#notify = notify;
    this.links = this.newLinks();
  }

  /** Links of their own, for requests that wait at the broker and so hold up what is sent after them. */
  newLinks(): BrokerLinks {
    return new BrokerLinks(nodeId => this.#open(nodeId));
  }

  /** Asks for the topics, null for all, and remembers what it is told. Errors: UMBUS_KAFKA_*. */
  async refresh(topics: readonly string[] | null): Promise<ClusterMetadata> {
    const metadata = await this.toAny(metadataCall(topics));
    this.#brokers = new Map(metadata.brokers.map(broker => [broker.nodeId, broker]));
    this.#controllerId = metadata.controllerId;
    if (topics === null) this.#topics.clear();
    for (const topic of metadata.topics) {
      if (topic.error === 0) this.#topics.set(topic.name, topic);
      else this.#topics.delete(topic.name);
    }
    return metadata;
  }

  /** Forgets where a topic's partitions are. */
  forget(topic: string): void {
    this.#topics.delete(topic);
  }

  /** Whether the partition is known to exist, without asking. */
  knows({ topic, partition }: TopicPartition): boolean {
    return this.#topics.get(topic)?.partitions.some(each => each.partition === partition) ?? false;
  }

  /** Errors: UMBUS_LOG_UNKNOWN_TOPIC, UMBUS_KAFKA_*. */
  async topic(name: string): Promise<TopicMetadata> {
    for (let attempt = 1; ; attempt++) {
      const known = this.#topics.get(name);
      if (known !== undefined) return known;
      const { topics } = await this.refresh([name]);
      const error = topics.find(topic => topic.name === name)?.error ?? 3;
      if (error === 0) continue;
      const kind = brokerErrorKind(error);
      if (attempt >= UNKNOWN_TOPIC_ATTEMPTS || kind.recovery === 'none') throw unknownTopic(name, error);
      await this.clock.sleep(UNKNOWN_TOPIC_WAIT_MS);
    }
  }

  /** Node id of the leader. Errors: UMBUS_LOG_UNKNOWN_TOPIC, UMBUS_KAFKA_*. */
  async leaderOf({ topic, partition }: TopicPartition): Promise<number> {
    const found = (await this.topic(topic)).partitions.find(each => each.partition === partition);
    if (found === undefined) {
      this.forget(topic);
      throw new UmbusError('UMBUS_LOG_UNKNOWN_TOPIC', `Topic ${topic} has no partition ${partition}.`, {
        details: { topic, partition },
      });
    }
    if (found.leader < 0) {
      this.forget(topic);
      throw brokerError('LEADER_NOT_AVAILABLE', { doing: `find ${topic}/${partition}`, topic, partition });
    }
    return found.leader;
  }

  /** The partitions by the node that leads them. Errors: UMBUS_LOG_UNKNOWN_TOPIC, UMBUS_KAFKA_*. */
  async byLeader<T extends TopicPartition>(items: readonly T[]): Promise<ReadonlyMap<number, readonly T[]>> {
    const unknown = new Set(items.map(item => item.topic).filter(topic => !this.#topics.has(topic)));
    if (unknown.size > 1) await this.refresh([...unknown]);
    const nodes = new Map<number, T[]>();
    for (const item of items) {
      const leader = await this.leaderOf(item);
      const known = nodes.get(leader);
      if (known === undefined) nodes.set(leader, [item]);
      else known.push(item);
    }
    return nodes;
  }

  /** Node ids of the brokers known. */
  get nodeIds(): readonly number[] {
    return [...this.#brokers.keys()];
  }

  async controllerId(): Promise<number> {
    if (!this.#brokers.has(this.#controllerId)) await this.refresh([]);
    return this.#controllerId;
  }

  /** Sends to any broker: those known, then the seeds. Errors: the last broker's. */
  async toAny<Answer>(call: ApiCall<Answer>): Promise<Answer> {
    let last: unknown = null;
    for (const nodeId of this.#brokers.keys()) {
      try {
        return await this.links.send(nodeId, call);
      } catch (error) {
        if (!isUmbusError(error, 'UMBUS_KAFKA_UNREACHABLE')) throw error;
        last = error;
      }
    }
    for (const { host, port } of this.#seeds) {
      try {
        this.#seedLink ??= this.#watched(() => this.#connections.open(host, port));
        return await (await this.#seedLink).send(call);
      } catch (error) {
        const broken = this.#seedLink;
        this.#seedLink = null;
        void broken?.then(link => link.close()).catch(() => {});
        if (!isUmbusError(error, 'UMBUS_KAFKA_UNREACHABLE')) throw error;
        last = error;
      }
    }
    throw last;
  }

  /** Closes the links of the cluster itself. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.links.close();
    const seed = await this.#seedLink?.catch(() => null);
    await seed?.close();
  }

  async #open(nodeId: number): Promise<Link> {
    const known = this.#brokers.get(nodeId);
    if (known === undefined) {
      throw new UmbusError(
        'UMBUS_KAFKA_UNREACHABLE',
        `The Kafka broker ${nodeId} is not in the cluster now.`,
      );
    }
    return await this.#watched(() => this.#connections.open(known.host, known.port));
  }

  /** Tells of a write that failed in a way that passes, and is tried again. */
  writesAgain({ code, message }: UmbusError): void {
    this.#notify({ kind: 'retry', code, message: `Writing is tried again: ${message}` });
  }

  /** Tells when the brokers go away and when one is back. */
  async #watched(open: () => Promise<Link>): Promise<Link> {
    if (this.#closed) throw new UmbusError('UMBUS_LOG_CLOSED', 'The log was closed.');
    try {
      const link = await open();
      if (this.#away)
        this.#notify({ kind: 'broker-back', message: `The Kafka broker ${link.address} answers again.` });
      this.#away = false;
      return link;
    } catch (error) {
      if (!this.#away && isUmbusError(error, 'UMBUS_KAFKA_UNREACHABLE')) {
        this.#away = true;
        this.#notify({ kind: 'broker-unreachable', code: error.code, message: error.message });
      }
      throw error;
    }
  }
}

/** One link to each broker, opened at first use, dropped when it breaks. */
export class BrokerLinks {
  readonly #open: (nodeId: number) => Promise<Link>;
  readonly #links = new Map<number, Promise<Link>>();
  #closed = false;

  constructor(open: (nodeId: number) => Promise<Link>) {
    this.#open = open;
  }

  /** Errors: UMBUS_KAFKA_*, UMBUS_LOG_CLOSED. */
  async send<Answer>(nodeId: number, call: ApiCall<Answer>): Promise<Answer> {
    if (this.#closed) throw new UmbusError('UMBUS_LOG_CLOSED', 'The log was closed.');
    let opening = this.#links.get(nodeId);
    if (opening === undefined) {
      opening = this.#open(nodeId);
      this.#links.set(nodeId, opening);
    }
    try {
      return await (await opening).send(call);
    } catch (error) {
      if (this.#closed) throw new UmbusError('UMBUS_LOG_CLOSED', 'The log was closed.');
      if (this.#links.get(nodeId) === opening) {
        this.#links.delete(nodeId);
        void opening.then(link => link.close()).catch(() => {});
      }
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const links = [...this.#links.values()];
    this.#links.clear();
    await Promise.all(links.map(opening => opening.then(link => link.close()).catch(() => {})));
  }
}

/** The error for a topic that metadata does not have. */
function unknownTopic(name: string, error: number): UmbusError {
  if (brokerErrorKind(error).code !== 'UMBUS_LOG_UNKNOWN_TOPIC')
    return brokerError(error, { doing: `find topic ${name}`, topic: name });
  return new UmbusError('UMBUS_LOG_UNKNOWN_TOPIC', `There is no topic ${name}.`, {
    details: { topic: name },
  });
}

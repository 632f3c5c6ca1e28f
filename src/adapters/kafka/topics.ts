import { isUmbusError, UmbusError } from '../../core/errors.ts';
import type { TopicDescription, TopicPartition, TopicSpec } from '../../ports/log.ts';
import {
  alterConfigsCall,
  createTopicsCall,
  describeConfigsCall,
  describeLogDirsCall,
  EARLIEST,
  LATEST,
  listOffsetsCall,
  type TopicMetadata,
} from './admin-calls.ts';
import { brokerError } from './broker-errors.ts';
import { assertSuccess, type Cluster } from './cluster.ts';
import type { KafkaLogOptions } from './options.ts';
import { patiently } from './patience.ts';
import {
  changedConfig,
  createCommand,
  creationConfig,
  retentionConfig,
  specFromConfig,
} from './topic-config.ts';

const EXISTS_ALREADY = 36;
const NAMES = ['cleanup.policy', 'retention.ms', 'retention.bytes'];
/** New topics are known everywhere soon; until then they would be told to be unknown. */
const KNOWN_STEP_MS = 10;
const KNOWN_WITHIN_MS = 30_000;

/** Makes and describes topics. */
export class Topics {
  readonly #cluster: Cluster;
  readonly #options: KafkaLogOptions;

  constructor(cluster: Cluster, options: KafkaLogOptions) {
    this.#cluster = cluster;
    this.#options = options;
  }

  /** As `Log.ensureTopics`. */
  async ensure(specs: readonly TopicSpec[]): Promise<void> {
    for (const spec of specs) assertPartitions(spec);
    if (specs.length === 0) return;
    const existing = await this.#existing(specs.map(spec => spec.name));
    for (const spec of specs) assertSamePartitions(spec, existing.get(spec.name));
    const missing = specs.filter(spec => !existing.has(spec.name));
    if (missing.length > 0) await this.#create(missing);
    await this.#follow(specs.filter(spec => existing.has(spec.name)));
  }

  /** As `Log.topics`. Topics of Kafka's own are left out. */
  async describe(): Promise<readonly TopicDescription[]> {
    const recover = { recover: () => {} };
    return await patiently(this.#cluster.clock, () => this.#describe(), recover);
  }

  async #existing(names: readonly string[]): Promise<ReadonlyMap<string, TopicMetadata>> {
    const { topics } = await patiently(this.#cluster.clock, () => this.#cluster.refresh(names));
    for (const { name, error } of topics) {
      if (error === 0 || error === 3 || error === 5) continue;
      throw brokerError(error, { doing: `describe topic ${name}`, topic: name });
    }
    return new Map(topics.filter(topic => topic.error !== 3).map(topic => [topic.name, topic]));
  }

  async #create(specs: readonly TopicSpec[]): Promise<void> {
    const { replicationFactor, maxRecordBytes, createTopics } = this.#options;
    if (!createTopics) {
      const commands = specs.map(spec => createCommand(spec, replicationFactor, maxRecordBytes));
      throw new UmbusError(
        'UMBUS_LOG_UNKNOWN_TOPIC',
        `Topics are missing and log.kafka.createTopics is false. Make them with: ${commands.join('; ')}`,
        { details: { topic: specs[0]?.name ?? '', missing: specs.length } },
      );
    }
    await patiently(this.#cluster.clock, async () => {
      const call = createTopicsCall(
        specs.map(spec => ({
          name: spec.name,
          partitions: spec.partitions,
          replicationFactor: replicationFactor ?? -1,
          config: creationConfig(spec, maxRecordBytes),
        })),
      );
      const answers = await this.#cluster.links.send(await this.#cluster.controllerId(), call);
      for (const { name, error, message } of answers) {
        // Somebody else made it meanwhile, or we did before an answer was lost.
        if (error !== EXISTS_ALREADY) assertDone(error, message, `make topic ${name}`, name);
      }
    });
    await this.#known(specs);
  }

  /** Waits until all brokers' metadata has the topics, with leaders. */
  async #known(specs: readonly TopicSpec[]): Promise<void> {
    const { clock } = this.#cluster;
    const until = clock.now() + KNOWN_WITHIN_MS;
    const names = specs.map(spec => spec.name);
    for (;;) {
      const found = await this.#existing(names);
      for (const spec of specs) {
        const topic = found.get(spec.name);
        if (topic !== undefined && topic.error === 0) assertSamePartitions(spec, topic);
      }
      const whole = (name: string): boolean => {
        const topic = found.get(name);
        return topic?.error === 0 && topic.partitions.every(({ leader }) => leader >= 0);
      };
      if (names.every(whole)) return;
      if (clock.now() >= until) {
        const name = names.find(each => !whole(each)) ?? '';
        throw brokerError('LEADER_NOT_AVAILABLE', { doing: `make topic ${name} ready`, topic: name });
      }
      await clock.sleep(KNOWN_STEP_MS);
    }
  }

  /** Retention and cleanup follow the newest call; settings that somebody else made stay. */
  async #follow(specs: readonly TopicSpec[]): Promise<void> {
    if (specs.length === 0) return;
    await patiently(this.#cluster.clock, async () => {
      const configs = await this.#configs(specs.map(spec => spec.name));
      const changes = specs
        .map(spec => {
          const config = changedConfig(retentionConfig(spec), configs.get(spec.name) ?? new Map());
          return { name: spec.name, config };
        })
        .filter(({ config }) => config.length > 0);
      if (changes.length === 0) return;
      const answers = await this.#cluster.links.send(
        await this.#cluster.controllerId(),
        alterConfigsCall(changes),
      );
      for (const { name, error, message } of answers)
        assertDone(error, message, `change the settings of topic ${name}`, name);
      await this.#changed(changes);
    });
  }

  /** A broker applies a setting a little after the controller took it. */
  async #changed(
    changes: readonly { readonly name: string; readonly config: ReturnType<typeof changedConfig> }[],
  ): Promise<void> {
    const { clock } = this.#cluster;
    const until = clock.now() + KNOWN_WITHIN_MS;
    for (;;) {
      const configs = await this.#configs(changes.map(({ name }) => name));
      const applied = changes.every(
        ({ name, config }) => changedConfig(config, configs.get(name) ?? new Map()).length === 0,
      );
      if (applied || clock.now() >= until) return;
      await clock.sleep(KNOWN_STEP_MS);
    }
  }

  async #configs(names: readonly string[]): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
    const found = new Map<string, ReadonlyMap<string, string>>();
    for (const { name, error, message, values } of await this.#cluster.toAny(
      describeConfigsCall(names, NAMES),
    )) {
      assertDone(error, message, `describe the settings of topic ${name}`, name);
      found.set(name, values);
    }
    return found;
  }

  async #describe(): Promise<readonly TopicDescription[]> {
    const { topics } = await this.#cluster.refresh(null);
    const own = topics.filter(topic => topic.error === 0 && !topic.internal);
    if (own.length === 0) return [];
    const places = own.flatMap(topic =>
      topic.partitions.map(({ partition }) => ({ topic: topic.name, partition })),
    );
    const configs = await this.#configs(own.map(topic => topic.name));
    const [earliest, latest, bytes] = await Promise.all([
      this.#offsets(places, EARLIEST),
      this.#offsets(places, LATEST),
      this.#storedBytes(),
    ]);
    const described = own.map(topic => ({
      ...specFromConfig(topic.name, topic.partitions.length, configs.get(topic.name) ?? new Map()),
      extents: topic.partitions
        .map(({ partition }) => partition)
        .sort((one, other) => one - other)
        .map(partition => {
          const name = placeOf({ topic: topic.name, partition });
          return {
            earliest: earliest.get(name) ?? 0n,
            latest: latest.get(name) ?? 0n,
            bytes: bytes.get(name) ?? null,
          };
        }),
    }));
    return described.sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  async #offsets(places: readonly TopicPartition[], time: bigint): Promise<ReadonlyMap<string, bigint>> {
    const offsets = new Map<string, bigint>();
    for (const [nodeId, partitions] of await this.#cluster.byLeader(places)) {
      const call = listOffsetsCall(partitions.map(place => ({ ...place, time })));
      for (const answer of await this.#cluster.links.send(nodeId, call)) {
        const { topic, partition } = answer;
        // One that was deleted meanwhile counts as empty.
        if (answer.error !== 0 && answer.error !== 3)
          assertSuccess(answer.error, { doing: `ask for the offsets of ${topic}`, topic, partition });
        offsets.set(placeOf(answer), answer.offset);
      }
    }
    return offsets;
  }

  /** By place, of the leader's copy; of none where the user may not describe the cluster. */
  async #storedBytes(): Promise<ReadonlyMap<string, number>> {
    const sizes = new Map<string, number>();
    for (const nodeId of this.#cluster.nodeIds) {
      try {
        for (const place of await this.#cluster.links.send(nodeId, describeLogDirsCall())) {
          if (this.#cluster.knows(place) && (await this.#cluster.leaderOf(place)) === nodeId)
            sizes.set(placeOf(place), place.bytes);
        }
      } catch (error) {
        if (!isUmbusError(error)) throw error;
      }
    }
    return sizes;
  }
}

function assertDone(error: number, message: string | null, doing: string, topic: string): void {
  if (error === 0) return;
  const known = brokerError(error, { doing, topic });
  if (message === null) throw known;
  throw new UmbusError(known.code, `${known.message} The broker says: ${message}`, {
    details: known.details,
  });
}

function assertPartitions(spec: TopicSpec): void {
  if (Number.isInteger(spec.partitions) && spec.partitions >= 1) return;
  throw new UmbusError(
    'UMBUS_LOG_TOPIC_MISMATCH',
    `Topic ${spec.name} needs at least one partition, not ${spec.partitions}.`,
  );
}

function assertSamePartitions(spec: TopicSpec, existing: TopicMetadata | undefined): void {
  if (existing === undefined || existing.partitions.length === spec.partitions) return;
  throw new UmbusError(
    'UMBUS_LOG_TOPIC_MISMATCH',
    `Topic ${spec.name} has ${existing.partitions.length} partitions and cannot have ${spec.partitions}.`,
    { details: { topic: spec.name, existing: existing.partitions.length, wanted: spec.partitions } },
  );
}

function placeOf({ topic, partition }: TopicPartition): string {
  return `${partition} ${topic}`;
}

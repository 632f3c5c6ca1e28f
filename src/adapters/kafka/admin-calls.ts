import type { TopicPartition } from '../../ports/log.ts';
import { type ApiCall, apiCall, byTopic } from './calls.ts';
import type { TopicConfigEntry } from './topic-config.ts';

/** Resource type of a topic in config requests. */
const TOPIC_RESOURCE = 2;
/** IncrementalAlterConfigs operation SET. */
const SET = 0;
const ADMIN_TIMEOUT_MS = 15_000;

export interface BrokerAddress {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
}

export interface TopicMetadata {
  readonly error: number;
  readonly name: string;
  readonly internal: boolean;
  /** Leader is -1 where there is none. */
  readonly partitions: readonly {
    readonly error: number;
    readonly partition: number;
    readonly leader: number;
  }[];
}

export interface ClusterMetadata {
  readonly brokers: readonly BrokerAddress[];
  readonly controllerId: number;
  readonly topics: readonly TopicMetadata[];
}

/** Metadata v5. Null asks for all topics. Never makes a topic. */
export function metadataCall(topics: readonly string[] | null): ApiCall<ClusterMetadata> {
  return apiCall(
    { key: 3, version: 5, name: 'Metadata' },
    writer => writer.list(topics, topic => writer.text(topic)).bool(false),
    reader => {
      const brokers = reader.list(() => {
        const broker = { nodeId: reader.int32(), host: reader.text(), port: reader.int32() };
        reader.nullableText();
        return broker;
      });
      reader.nullableText();
      const controllerId = reader.int32();
      const described = reader.list(() => ({
        error: reader.int16(),
        name: reader.text(),
        internal: reader.bool(),
        partitions: reader.list(() => {
          const partition = { error: reader.int16(), partition: reader.int32(), leader: reader.int32() };
          for (let lists = 0; lists < 3; lists++) reader.list(() => reader.int32());
          return partition;
        }),
      }));
      return { brokers, controllerId, topics: described };
    },
  );
}

export interface NewTopic {
  readonly name: string;
  readonly partitions: number;
  /** -1: the broker's default. */
  readonly replicationFactor: number;
  readonly config: readonly TopicConfigEntry[];
}

export interface NamedError {
  readonly name: string;
  readonly error: number;
  readonly message: string | null;
}

/** CreateTopics v4. */
export function createTopicsCall(topics: readonly NewTopic[]): ApiCall<readonly NamedError[]> {
  return apiCall(
    { key: 19, version: 4, name: 'CreateTopics', waitMs: ADMIN_TIMEOUT_MS },
    writer => {
      writer.list(topics, topic => {
        writer.text(topic.name).int32(topic.partitions).int16(topic.replicationFactor).int32(0);
        writer.list(topic.config, ({ name, value }) => writer.text(name).text(value));
      });
      writer.int32(ADMIN_TIMEOUT_MS).bool(false);
    },
    reader =>
      reader.list(() => ({ name: reader.text(), error: reader.int16(), message: reader.nullableText() })),
  );
}

export interface DescribedConfig extends NamedError {
  readonly values: ReadonlyMap<string, string>;
}

/** DescribeConfigs v1 of topics, the named settings only. */
export function describeConfigsCall(
  topics: readonly string[],
  names: readonly string[],
): ApiCall<readonly DescribedConfig[]> {
  return apiCall(
    { key: 32, version: 1, name: 'DescribeConfigs' },
    writer => {
      writer.list(topics, topic =>
        writer
          .int8(TOPIC_RESOURCE)
          .text(topic)
          .list(names, name => writer.text(name)),
      );
      writer.bool(false);
    },
    reader =>
      reader.list(() => {
        const error = reader.int16();
        const message = reader.nullableText();
        reader.int8();
        const name = reader.text();
        const values = new Map<string, string>();
        reader.list(() => {
          const setting = reader.text();
          const value = reader.nullableText();
          reader.bool();
          reader.int8();
          reader.bool();
          reader.list(() => {
            reader.text();
            reader.nullableText();
            reader.int8();
          });
          if (value !== null) values.set(setting, value);
        });
        return { name, error, message, values };
      }),
  );
}

/** IncrementalAlterConfigs v0: sets these settings of topics and leaves all others. (kafkajs only has AlterConfigs, which resets what it does not name.) */
export function alterConfigsCall(
  topics: readonly { readonly name: string; readonly config: readonly TopicConfigEntry[] }[],
): ApiCall<readonly NamedError[]> {
  return apiCall(
    { key: 44, version: 0, name: 'IncrementalAlterConfigs' },
    writer => {
      writer.list(topics, topic => {
        writer.int8(TOPIC_RESOURCE).text(topic.name);
        writer.list(topic.config, ({ name, value }) => writer.text(name).int8(SET).text(value));
      });
      writer.bool(false);
    },
    reader =>
      reader.list(() => {
        const error = reader.int16();
        const message = reader.nullableText();
        reader.int8();
        return { name: reader.text(), error, message };
      }),
  );
}

export interface ListedOffset extends TopicPartition {
  readonly error: number;
  /** -1 where no record is that new. */
  readonly offset: bigint;
}

/** Time that asks for the first kept offset. */
export const EARLIEST = -2n;
/** Time that asks for the next offset to be readable. */
export const LATEST = -1n;

/** ListOffsets v2, of committed records. */
export function listOffsetsCall(
  partitions: readonly (TopicPartition & { readonly time: bigint })[],
): ApiCall<readonly ListedOffset[]> {
  return apiCall(
    { key: 2, version: 2, name: 'ListOffsets' },
    writer => {
      writer.int32(-1).int8(1);
      writer.list(byTopic(partitions), ([topic, wanted]) =>
        writer.text(topic).list(wanted, ({ partition, time }) => writer.int32(partition).int64(time)),
      );
    },
    reader =>
      reader
        .list(() => {
          const topic = reader.text();
          return reader.list(() => {
            const partition = reader.int32();
            const error = reader.int16();
            reader.int64();
            return { topic, partition, error, offset: reader.int64() };
          });
        })
        .flat(),
  );
}

/** DescribeLogDirs v1 of all partitions on a broker: their stored bytes. */
export function describeLogDirsCall(): ApiCall<readonly (TopicPartition & { readonly bytes: number })[]> {
  return apiCall(
    { key: 35, version: 1, name: 'DescribeLogDirs' },
    writer => writer.int32(-1),
    reader =>
      reader
        .list(() => {
          reader.int16();
          reader.text();
          return reader
            .list(() => {
              const topic = reader.text();
              return reader.list(() => {
                const partition = reader.int32();
                const bytes = Number(reader.int64());
                reader.int64();
                reader.bool();
                return { topic, partition, bytes };
              });
            })
            .flat();
        })
        .flat(),
  );
}

/** ListGroups v1: the groups that a broker coordinates. */
export function listGroupsCall(): ApiCall<{ readonly error: number; readonly groups: readonly string[] }> {
  return apiCall(
    { key: 16, version: 1, name: 'ListGroups' },
    () => {},
    reader => ({
      error: reader.int16(),
      groups: reader.list(() => {
        const group = reader.text();
        reader.text();
        return group;
      }),
    }),
  );
}

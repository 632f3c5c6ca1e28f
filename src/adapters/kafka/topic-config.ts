import type { TopicSpec } from '../../ports/log.ts';

/** Settings of a topic in Kafka's words (kafka.apache.org, "Topic Configs"). */
export interface TopicConfigEntry {
  readonly name: string;
  readonly value: string;
}

/** What Kafka writes for "no limit". */
const UNLIMITED = '-1';
/**
 * Room that a batch needs beside a record of the largest size: the batch header (61 bytes), the record's own lengths, its key and headers.
 */
const BATCH_OVERHEAD = 65_536;

/** The settings that follow the newest `ensureTopics`: cleanup and retention. */
export function retentionConfig(spec: TopicSpec): readonly TopicConfigEntry[] {
  return [
    { name: 'cleanup.policy', value: spec.cleanup },
    { name: 'retention.ms', value: limit(spec.retentionMs) },
    { name: 'retention.bytes', value: limit(spec.retentionBytes) },
  ];
}

/**
 * All settings of a topic that is made: those of {@link retentionConfig}, records of up to `maxRecordBytes`, batches kept as the producer compressed them,
 * and the producer's timestamps.
 */
export function creationConfig(spec: TopicSpec, maxRecordBytes: number): readonly TopicConfigEntry[] {
  return [
    ...retentionConfig(spec),
    { name: 'max.message.bytes', value: String(maxRecordBytes + BATCH_OVERHEAD) },
    { name: 'compression.type', value: 'producer' },
    { name: 'message.timestamp.type', value: 'CreateTime' },
  ];
}

/** The settings among `wanted` that the topic has not; `existing` maps names to values. */
export function changedConfig(
  wanted: readonly TopicConfigEntry[],
  existing: ReadonlyMap<string, string>,
): readonly TopicConfigEntry[] {
  return wanted.filter(({ name, value }) => existing.get(name) !== value);
}

/** A topic as its settings describe it. Settings that are missing count as Kafka's defaults; `compact,delete` counts as compact. */
export function specFromConfig(
  name: string,
  partitions: number,
  existing: ReadonlyMap<string, string>,
): TopicSpec {
  const policy = existing.get('cleanup.policy') ?? 'delete';
  return {
    name,
    partitions,
    cleanup: policy.includes('compact') ? 'compact' : 'delete',
    retentionMs: amount(existing.get('retention.ms') ?? '604800000'),
    retentionBytes: amount(existing.get('retention.bytes') ?? UNLIMITED),
  };
}

/** The command that makes the topic by hand, for where umbus may not. */
export function createCommand(
  spec: TopicSpec,
  replicationFactor: number | null,
  maxRecordBytes: number,
): string {
  const copies = replicationFactor === null ? '' : ` --replication-factor ${replicationFactor}`;
  const settings = creationConfig(spec, maxRecordBytes).map(({ name, value }) => `--config ${name}=${value}`);
  return `kafka-topics.sh --create --topic ${spec.name} --partitions ${spec.partitions}${copies} ${settings.join(' ')}`;
}

function limit(amountOrNull: number | null): string {
  return amountOrNull === null ? UNLIMITED : String(Math.trunc(amountOrNull));
}

function amount(text: string): number | null {
  const value = Number(text);
  return Number.isFinite(value) && value >= 0 ? value : null;
}

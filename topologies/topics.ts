import type { LineSchemas } from '../src/adapters/registry/line-schemas.ts';
import type { ControlMessage, ShardTask, SplitTask } from '../src/change/pull-job.ts';
import { decodeRawRun, encodeRawRun, type RawRun } from '../src/change/raw-run.ts';
import type { KnownChange } from '../src/columns/known.ts';
import type { Line } from '../src/config/line.ts';
import { assert } from '../src/core/assert.ts';
import { bytes, json, nullable, utf8 } from '../src/topology/serdes.ts';
import { topic } from '../src/topology/topic.ts';
import type { Serde, Topic } from '../src/topology/types.ts';
import { pullTopicOf } from '../src/ums/namespace.ts';
import { noticeTopicOf } from '../src/ums/schema-notice.ts';

/** What the topic names of a line depend on. */
export type TopicSettings = Pick<Line, 'ds' | 'schemas' | 'topics'> & {
  /** What the line's registry says; left out without a registry. */
  readonly registered?: LineSchemas | null;
};

/** Raw runs in Confluent wire format, with the fixed schema id. */
export const rawRun: Serde<RawRun> = {
  name: 'raw-run',
  encode: run => encodeRawRun(run),
  decode: decodeRawRun,
};

function rawRunOf({ registered }: TopicSettings): Serde<RawRun> {
  return registered?.rawRuns ?? rawRun;
}

const kept = ({ topics }: TopicSettings) => ({
  retention: topics.retentionMs,
  retentionBytes: topics.retentionBytes,
});

/** `<ds>`: everything, in the order of the binlog, in one partition. */
export function rawTopic(line: TopicSettings): Topic<string, RawRun> {
  return topic(line.ds, utf8, rawRunOf(line), { ...kept(line), partitions: 1 });
}

/** `<ds>_columns`: what the extractor knows of the columns of tables, for itself alone. Keyed by JSON of schema and table. */
export function columnsTopic({ ds }: Pick<Line, 'ds'>): Topic<string, KnownChange['value']> {
  const known = json<NonNullable<KnownChange['value']>>();
  return topic(`${ds}_columns`, utf8, nullable(known), { partitions: 1, cleanup: 'compact' });
}

/** `<ds>.<schema>`: the same, by schema, a table always in the same partition. */
export function schemaTopic(line: TopicSettings, schema: string): Topic<string, RawRun> {
  return topic(`${line.ds}.${schema}`, utf8, rawRunOf(line), {
    ...kept(line),
    partitions: line.topics.partitions,
  });
}

/** `<ds>.<schema>.result`: UMS. */
export function resultTopic(line: TopicSettings, schema: string): Topic<Uint8Array, Uint8Array> {
  return topic(`${line.ds}.${schema}.result`, bytes, bytes, {
    ...kept(line),
    partitions: line.schemas[schema]?.result.partitions ?? line.topics.partitions,
  });
}

/** `<ds>_pull`: what becomes of full pulls, as the appender tells it (change/pull-signal.ts). */
export function pullTopic(line: TopicSettings): Topic<Uint8Array, Uint8Array> {
  return topic(pullTopicOf(line.ds), bytes, bytes, { ...kept(line), partitions: 1 });
}

/** `<ds>_schema`: a notice for each change of a table; kept for ever, since it is the history of the columns. */
export function noticeTopic(line: Pick<Line, 'ds'>): Topic<Uint8Array, Uint8Array> {
  return topic(noticeTopicOf(line.ds), bytes, bytes, { partitions: 1 });
}

/** `<ds>_ctrl`: control messages, as DBUS's consoles send them. */
export function controlTopic(line: TopicSettings): Topic<string, ControlMessage> {
  return topic(`${line.ds}_ctrl`, utf8, json<ControlMessage>(), { ...kept(line), partitions: 1 });
}

/** `<ds>_splits`: where the splitter is in the tables that it cuts. */
export function splitsTopic(line: TopicSettings): Topic<string, SplitTask> {
  return topic(`${line.ds}_splits`, utf8, json<SplitTask>(), { ...kept(line), partitions: 1 });
}

/** `<ds>_data_shards`: shards for pullers, which share them by partition. */
export function shardsTopic(line: TopicSettings): Topic<string, ShardTask> {
  return topic(`${line.ds}_data_shards`, utf8, json<ShardTask>(), {
    ...kept(line),
    partitions: line.topics.partitions,
  });
}

/** `<ds>_dead`: what could not be processed, until it is replayed; never dropped by age. */
export function deadTopicName(line: Pick<Line, 'ds'>): string {
  return `${line.ds}_dead`;
}

/** The schemas of a line, by name. */
export function schemaNames(line: Pick<Line, 'schemas'>): readonly string[] {
  return Object.keys(line.schemas).sort();
}

/** One topic for each schema of a line, made once. */
export interface SchemaTopics<T> {
  readonly all: readonly T[];
  /** The topic of a schema of the line. Throws UMBUS_INTERNAL for any other. */
  of(schema: string): T;
}

/** The topics that `make` gives for the schemas of a line. */
export function bySchema<T>(
  line: TopicSettings,
  make: (line: TopicSettings, schema: string) => T,
): SchemaTopics<T> {
  const topics = new Map(schemaNames(line).map(schema => [schema, make(line, schema)]));
  return {
    all: [...topics.values()],
    of(schema) {
      const found = topics.get(schema);
      assert(found !== undefined, `The line has no schema ${schema}.`);
      return found;
    },
  };
}

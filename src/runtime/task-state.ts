import { Buffer } from 'node:buffer';
import type { CommittedOffset, Log } from '../ports/log.ts';
import type { ErasedTopic } from '../topology/graph.ts';
import type { ControlFeeds } from './control-feeds.ts';
import { Lanes } from './lanes.ts';
import {
  decodeMetadata,
  encodeMetadata,
  MAX_METADATA_CHARACTERS,
  noMetadata,
  type Origin,
  type TaskMetadata,
} from './metadata.ts';
import { restoreStore } from './restore.ts';
import { changelogTopic, type TaskEnvironment } from './task-environment.ts';
import type { TaskStore } from './task-store.ts';

/** One input partition of a task. */
export interface TaskInput {
  readonly topic: ErasedTopic;
  readonly lanes: Lanes;
  /** Next offset to read. */
  position: bigint;
  /** Offset after the last record of the partition when it was last read. */
  end: bigint;
  /** Time of the record processed last, in milliseconds since 1970 UTC; null before the first since the task was restored. */
  timestampMs: number | null;
}

/** What a task carries from commit to commit. */
export class TaskState {
  readonly inputs: ReadonlyMap<string, TaskInput>;
  readonly stores: ReadonlyMap<string, TaskStore>;
  /** Next offset to apply, by `<control topic>/<partition>`. */
  readonly controls: Map<string, bigint>;
  readonly paused: Set<string>;
  readonly streamTimeMs: number | null;
  readonly origin: Origin | null;

  constructor(
    inputs: ReadonlyMap<string, TaskInput>,
    stores: ReadonlyMap<string, TaskStore>,
    controls: Map<string, bigint>,
    metadata: TaskMetadata,
  ) {
    this.inputs = inputs;
    this.stores = stores;
    this.controls = controls;
    this.paused = new Set(metadata.paused);
    this.streamTimeMs = metadata.streamTimeMs;
    this.origin = metadata.origin;
  }

  /** Value of the header `at`: the input offsets that everything so far includes. */
  at(): Uint8Array {
    return Buffer.from(
      [...this.inputs.values()].map(({ topic, position }) => `${topic.name}=${position}`).join(';'),
      'latin1',
    );
  }

  /** The offsets to commit, with metadata. `forgot` is told when a lane no longer fits. */
  offsets(
    partition: number,
    streamTimeMs: number | null,
    origin: Origin | null,
    forgot: (topic: string, lanes: number) => void,
  ): CommittedOffset[] {
    return [...this.inputs.values()].map(({ topic, position, lanes }, index) => {
      const own =
        index === 0 ? { streamTimeMs, origin, controls: this.controls, paused: [...this.paused] } : {};
      return {
        topic: topic.name,
        partition,
        offset: position,
        metadata: fitted(lanes, { ...noMetadata, ...own }, forgot, topic.name),
      };
    });
  }
}

function fitted(
  lanes: Lanes,
  metadata: Omit<TaskMetadata, 'watermarks'>,
  forgot: (topic: string, lanes: number) => void,
  topic: string,
): string {
  for (;;) {
    const watermarks = new Map(lanes.watermarks());
    const encoded = encodeMetadata({ ...metadata, watermarks });
    const [oldest] = watermarks.keys();
    if (encoded.length <= MAX_METADATA_CHARACTERS || oldest === undefined) return encoded;
    lanes.forget(oldest);
    forgot(topic, watermarks.size - 1);
  }
}

/** Restores a task from what its group has committed. Throws UMBUS_TOPOLOGY_STORE, or what the log throws. */
export async function restoreState(
  environment: TaskEnvironment,
  partition: number,
  log: Log,
  feeds: ControlFeeds,
  signal: AbortSignal,
): Promise<TaskState> {
  const { group, groupName, rootName } = environment;
  const places = group.topics.map(topic => ({ topic: topic.name, partition }));
  const committed = await log.committed(groupName, places);
  const inputs = new Map<string, TaskInput>();
  const positions = new Map<string, bigint>();
  let first = noMetadata;
  for (const [index, topic] of group.topics.entries()) {
    const offset = committed[index] ?? null;
    const metadata =
      offset === null
        ? noMetadata
        : decodeMetadata(offset.metadata, `${groupName} at ${topic.name}/${partition}`);
    if (index === 0) first = metadata;
    const position = offset?.offset ?? (await log.offset({ topic: topic.name, partition }, 'earliest'));
    positions.set(topic.name, position);
    inputs.set(topic.name, {
      topic,
      lanes: new Lanes(groupName, topic.name, partition, metadata.watermarks),
      position,
      end: position,
      timestampMs: null,
    });
  }
  const stores = new Map<string, TaskStore>();
  for (const def of group.stores) {
    const changelog = { topic: changelogTopic(rootName, def.name), partition };
    stores.set(def.name, await restoreStore(log, def, changelog, positions, signal));
  }
  return new TaskState(inputs, stores, await feeds.positions(first.controls, signal), first);
}

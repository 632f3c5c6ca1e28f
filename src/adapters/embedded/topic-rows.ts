import { Buffer } from 'node:buffer';
import type { TopicSpec } from '../../ports/log.ts';
import type { Environment } from './environment.ts';

/** A topic as stored in `control`, under `topic:` and its name. Ids are given once and never again. */
export interface TopicRow {
  readonly id: number;
  readonly spec: TopicSpec;
}

const PREFIX = 'topic:';

/** Key of a topic's row. */
export function topicKey(name: string): Buffer {
  return Buffer.from(PREFIX + name, 'utf8');
}

/** Encodes a topic's row. */
export function topicValue(row: TopicRow): Buffer {
  return Buffer.from(JSON.stringify(row));
}

/** One topic, or null. */
export function readTopic({ control }: Environment, name: string): TopicRow | null {
  const value = control.get(topicKey(name));
  return value === undefined ? null : parse(value);
}

/** All topics, by name. */
export function readTopics({ control }: Environment): TopicRow[] {
  const start = Buffer.from(PREFIX);
  const end = Buffer.from(`${PREFIX.slice(0, -1)};`);
  return [...control.getRange({ start, end })].map(({ value }) => parse(value));
}

function parse(value: Uint8Array): TopicRow {
  // Written by topicValue above, under the format number of the directory.
  return JSON.parse(Buffer.from(value).toString()) as TopicRow;
}

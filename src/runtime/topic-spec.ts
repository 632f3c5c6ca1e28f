import type { TopicSpec } from '../ports/log.ts';
import type { TopicShape } from '../topology/stream.ts';

/** The log's form of a topic. */
export function specOf({ name, partitions, cleanup, retentionMs, retentionBytes }: TopicShape): TopicSpec {
  return { name, partitions, cleanup, retentionMs, retentionBytes };
}

import type { Log, TopicSpec } from '../ports/log.ts';
import type { Graph } from '../topology/graph.ts';
import { changelogTopic } from './task-environment.ts';
import { specOf } from './topic-spec.ts';

/** Makes the topics that the topology writes, and those it reads that are not there: a read topic that exists keeps its writer's retention. */
export async function ensureTopics(log: Log, graph: Graph, group: string): Promise<void> {
  const written = new Map<string, TopicSpec>();
  const read = new Map<string, TopicSpec>();
  for (const stage of graph.stages) {
    if (stage.kind === 'sink') for (const topic of stage.topics) written.set(topic.name, specOf(topic));
    if (stage.kind === 'source') for (const topic of stage.topics) read.set(topic.name, specOf(topic));
    if (stage.kind === 'external') {
      const { resumeFrom, keeps } = stage.source;
      read.set(resumeFrom.name, specOf(resumeFrom));
      if (keeps !== undefined) read.set(keeps.name, specOf(keeps));
    }
  }
  for (const control of graph.controls) read.set(control.topic.name, specOf(control.topic));
  if (graph.deadTopic !== null) {
    written.set(graph.deadTopic, {
      name: graph.deadTopic,
      partitions: 1,
      cleanup: 'delete',
      retentionMs: null,
      retentionBytes: null,
    });
  }
  for (const { stores, partitions } of graph.groups) {
    for (const store of stores) {
      const name = changelogTopic(group, store.name);
      written.set(name, { name, partitions, cleanup: 'compact', retentionMs: null, retentionBytes: null });
    }
  }
  await log.ensureTopics([...written.values()]);
  const existing = new Map((await log.topics()).map(topic => [topic.name, topic.partitions]));
  // One that exists with another partition count is passed on too: the log's own error says so.
  const missing = [...read.values()].filter(
    ({ name, partitions }) => !written.has(name) && existing.get(name) !== partitions,
  );
  if (missing.length > 0) await log.ensureTopics(missing);
}

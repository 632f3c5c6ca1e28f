import { createDispatcher } from '../src/stages/dispatch.ts';
import { defineTopology, trusted } from '../src/topology/definition.ts';
import { bySchema, deadTopicName, rawTopic, schemaTopic, type TopicSettings } from './topics.ts';

export type DispatcherConfig = TopicSettings;

/** `<ds>` → `<ds>.<schema>`: the same raw runs, split by schema, a table always to the same partition. */
export const dispatcher = defineTopology({
  name: 'dispatcher',
  version: 1,
  config: trusted<DispatcherConfig>(),
  onError: { decode: 'fail', process: 'fail' },
  deadLetter: config => deadTopicName(config),
  build(t, config) {
    const topics = bySchema(config, schemaTopic);
    t.source('raw', rawTopic(config))
      .process('dispatch', {}, () =>
        createDispatcher({
          partitions: config.topics.partitions,
          subscribedSchema: schema => Object.hasOwn(config.schemas, schema),
        }),
      )
      .to('by-schema', part => topics.of(part.schema), {
        topics: topics.all,
        value: part => part.run,
        partition: part => part.partition,
      });
  },
});

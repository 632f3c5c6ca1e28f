import type { Line } from '../src/config/line.ts';
import { signalTables } from '../src/config/subscription.ts';
import { createDispatcher } from '../src/stages/dispatch.ts';
import { defineTopology, trusted } from '../src/topology/definition.ts';
import { bySchema, deadTopicName, rawTopic, schemaNames, schemaTopic, type TopicSettings } from './topics.ts';

export type DispatcherConfig = TopicSettings & Pick<Line, 'signals'>;

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
          schemas: schemaNames(config),
          signal: signalTables(config),
        }),
      )
      .to('by-schema', part => topics.of(part.schema), {
        topics: topics.all,
        value: part => part.run,
        partition: part => part.partition,
      });
  },
});

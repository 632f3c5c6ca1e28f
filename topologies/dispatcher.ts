import type { Line } from '../src/config/line.ts';
import { logicalName } from '../src/config/logical-tables.ts';
import { signalTables } from '../src/config/subscription.ts';
import { createDispatcher } from '../src/stages/dispatch.ts';
import { DispatchStatistics } from '../src/stages/dispatch-statistics.ts';
import { defineTopology, trusted } from '../src/topology/definition.ts';
import { writeStatistics, writesStatistics } from './statistics.ts';
import { bySchema, deadTopicName, rawTopic, schemaNames, schemaTopic, type TopicSettings } from './topics.ts';

export type DispatcherConfig = TopicSettings & Pick<Line, 'signals'> & Partial<Pick<Line, 'heartbeat'>>;

/** `<ds>` → `<ds>.<schema>`: the same raw runs, split by schema, a table always to the same partition. */
export const dispatcher = defineTopology({
  name: 'dispatcher',
  version: 1,
  config: trusted<DispatcherConfig>(),
  onError: { decode: 'fail', process: 'fail' },
  deadLetter: config => deadTopicName(config),
  build(t, config) {
    const topics = bySchema(config, schemaTopic);
    const counted = writesStatistics(config);
    const parts = t.source('raw', rawTopic(config)).process('dispatch', {}, () =>
      createDispatcher({
        partitions: config.topics.partitions,
        schemas: schemaNames(config),
        logical: logicalName(config),
        signal: signalTables(config),
        statistics: counted
          ? new DispatchStatistics(config.ds, config.signals.schema, logicalName(config))
          : undefined,
      }),
    );
    parts.to('by-schema', part => topics.of(part.schema), {
      topics: topics.all,
      value: part => part.run,
      partition: part => part.partition,
    });
    if (counted) writeStatistics(parts, ({ stats = [] }) => stats);
  },
});

import type { Line } from '../src/config/line.ts';
import { resultPlacing } from '../src/config/result-placing.ts';
import { beforeImage, subscription } from '../src/config/subscription.ts';
import { createAppender, signalsStore, tablesStore } from '../src/stages/append.ts';
import { defineTopology, trusted } from '../src/topology/definition.ts';
import { avroOptions, writeResults } from './results.ts';
import { bySchema, deadTopicName, schemaTopic, type TopicSettings } from './topics.ts';

export type AppenderConfig = TopicSettings & Pick<Line, 'appender' | 'signals'>;

/**
 * `<ds>.<schema>` → `<ds>.<schema>.result`: rows decoded into UMS, as JSON or Avro. A table that cannot be decoded, or whose Avro schema the registry refuses, is parked in
 * `<ds>_dead`; the others go on.
 */
export const appender = defineTopology({
  name: 'appender',
  version: 1,
  config: trusted<AppenderConfig>(),
  onError: { decode: 'fail', process: 'fail' },
  deadLetter: config => deadTopicName(config),
  build(t, config) {
    const appended = t
      .source('by-schema', bySchema(config, schemaTopic).all)
      .process('append', { tables: tablesStore, signals: signalsStore }, () =>
        createAppender({
          ds: config.ds,
          ...config.appender,
          subscribed: subscription(config),
          signals: { schema: config.signals.schema, partitions: config.topics.partitions },
          beforeImage: beforeImage(config),
          result: resultPlacing(config),
          ...avroOptions(config, config.appender.maxRows),
        }),
      );
    writeResults(appended, config);
  },
});

import type { Line } from '../src/config/line.ts';
import { beforeImage, subscription } from '../src/config/subscription.ts';
import { type AppendOutput, createAppender, tablesStore } from '../src/stages/append.ts';
import { defineTopology, trusted } from '../src/topology/definition.ts';
import { bySchema, deadTopicName, resultTopic, schemaTopic } from './topics.ts';

export type AppenderConfig = Pick<Line, 'ds' | 'schemas' | 'topics' | 'appender'>;

/** `<ds>.<schema>` → `<ds>.<schema>.result`: rows decoded into UMS. A table that cannot be decoded is parked in `<ds>_dead`; the others go on. */
export const appender = defineTopology({
  name: 'appender',
  version: 1,
  config: trusted<AppenderConfig>(),
  onError: { decode: 'fail', process: 'fail' },
  deadLetter: config => deadTopicName(config),
  build(t, config) {
    const results = bySchema(config, resultTopic);
    t.source('by-schema', bySchema(config, schemaTopic).all)
      .process('append', { tables: tablesStore }, () =>
        createAppender({
          ds: config.ds,
          ...config.appender,
          subscribed: subscription(config),
          beforeImage: beforeImage(config),
        }),
      )
      .to('result', (output: AppendOutput) => results.of(output.schema), {
        topics: results.all,
        key: output => output.key,
        value: output => output.value,
      });
  },
});

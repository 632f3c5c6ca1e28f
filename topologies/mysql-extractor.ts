import type { Line } from '../src/config/line.ts';
import { signalTables, subscription } from '../src/config/subscription.ts';
import type { ChangeSource } from '../src/ports/change-source.ts';
import { createExtractor } from '../src/stages/extract.ts';
import { extractSource } from '../src/stages/extract-source.ts';
import { defineTopology, trusted } from '../src/topology/definition.ts';
import { rawTopic, type TopicSettings } from './topics.ts';

/** Part of a line that the extractor needs, and where the bytes come from. */
export type MysqlExtractorConfig = TopicSettings &
  Pick<Line, 'extractor' | 'signals'> & {
    readonly start: Line['source']['start'];
    readonly source: ChangeSource;
  };

/** Binlog → `<ds>`: raw runs in the order of the binlog, each event checked, none decoded. */
export const mysqlExtractor = defineTopology({
  name: 'mysql-extractor',
  version: 1,
  config: trusted<MysqlExtractorConfig>(),
  build(t, config) {
    const raw = rawTopic(config);
    t.external('binlog', extractSource({ source: config.source, topic: raw, start: config.start }))
      .process('extract', {}, () =>
        createExtractor({
          subscribed: subscription(config),
          signal: signalTables(config),
          subscribedSchema: schema => Object.hasOwn(config.schemas, schema),
          runBytes: config.extractor.runBytes,
        }),
      )
      .to('raw', raw);
  },
});

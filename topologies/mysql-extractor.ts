import type { Line } from '../src/config/line.ts';
import { signalTables, subscription } from '../src/config/subscription.ts';
import type { ChangeSource } from '../src/ports/change-source.ts';
import { createExtractor, type Extracted } from '../src/stages/extract.ts';
import { type ColumnDesk, ColumnTracker } from '../src/stages/extract-columns.ts';
import { extractSource } from '../src/stages/extract-source.ts';
import { defineTopology, trusted } from '../src/topology/definition.ts';
import { columnsTopic, rawTopic, schemaNames, type TopicSettings } from './topics.ts';

/** Part of a line that the extractor needs, and where the bytes come from. */
export type MysqlExtractorConfig = TopicSettings &
  Pick<Line, 'extractor' | 'signals'> & {
    readonly start: Line['source']['start'];
    readonly source: ChangeSource;
  };

/** Binlog → `<ds>`: raw runs in the order of the binlog, each event checked, none decoded; and `<ds>_columns`, what is known of columns that the binlog does not name. */
export const mysqlExtractor = defineTopology({
  name: 'mysql-extractor',
  version: 1,
  config: trusted<MysqlExtractorConfig>(),
  build(t, config) {
    const raw = rawTopic(config);
    const columns = columnsTopic(config);
    const schemas = schemaNames(config);
    const desk: ColumnDesk = { wanted: null };
    const { source, start } = config;
    const extracted = t
      .external(
        'binlog',
        extractSource({ source, topic: raw, start, columns: { topic: columns, desk, schemas } }),
      )
      .process('extract', {}, () =>
        createExtractor({
          subscribed: subscription(config),
          signal: signalTables(config),
          subscribedSchema: schema => Object.hasOwn(config.schemas, schema),
          columns: new ColumnTracker(schemas, desk),
          runBytes: config.extractor.runBytes,
        }),
      )
      .branch('extracted', { runs: isRun, columns: isColumns });
    extracted.runs.to('raw', raw, { value: ({ run }) => run });
    extracted.columns.to('columns', columns, { value: ({ known }) => known });
  },
});

function isRun(value: Extracted): value is Extract<Extracted, { kind: 'run' }> {
  return value.kind === 'run';
}

function isColumns(value: Extracted): value is Extract<Extracted, { kind: 'columns' }> {
  return value.kind === 'columns';
}

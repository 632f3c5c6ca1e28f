import type { Line } from '../src/config/line.ts';
import { logicalName } from '../src/config/logical-tables.ts';
import { maskRules } from '../src/config/mask-rules.ts';
import { resultPlacing } from '../src/config/result-placing.ts';
import { fileMasks, MASKS_PATH, type SharedMasks, sharedMasksSerde } from '../src/config/shared-masks.ts';
import { beforeImage, subscription } from '../src/config/subscription.ts';
import { type MaskFunctions, type MaskRules, NO_FUNCTIONS } from '../src/masking/mask-spec.ts';
import { appendStores, createAppender } from '../src/stages/append.ts';
import { defineTopology, trusted } from '../src/topology/definition.ts';
import type { LogicalName } from '../src/ums/namespace.ts';
import { avroOptions, writeResults } from './results.ts';
import { writeStatistics, writesStatistics } from './statistics.ts';
import { bySchema, deadTopicName, pullTopic, schemaTopic, type TopicSettings } from './topics.ts';

export type AppenderConfig = TopicSettings &
  Pick<Line, 'appender' | 'masking' | 'signals'> &
  Partial<Pick<Line, 'heartbeat' | 'pull'>> & {
    /** The masks to begin with, until the cell of the line has others; default: those of the line file. */
    readonly masks?: SharedMasks;
    /** Masks that the user wrote; default none. */
    readonly functions?: MaskFunctions;
  };

/**
 * `<ds>.<schema>` → `<ds>.<schema>.result`: rows decoded into UMS, as JSON or Avro. A table that cannot be decoded, or whose Avro schema the registry refuses, is parked in
 * `<ds>_dead`; the others go on. Masks come from the line file, and change while it runs by the cell `masks`.
 */
export const appender = defineTopology({
  name: 'appender',
  version: 1,
  config: trusted<AppenderConfig>(),
  onError: { decode: 'fail', process: 'fail' },
  deadLetter: config => deadTopicName(config),
  build(t, config) {
    const { masking, functions = NO_FUNCTIONS } = config;
    const masks = t.watch('masks', MASKS_PATH, sharedMasksSerde(masking, functions), {
      initial: config.masks ?? fileMasks(config),
    });
    const logical = logicalName(config);
    const inForce = rulesOf(masking, functions, logical);
    const appended = t
      .source('by-schema', bySchema(config, schemaTopic).all)
      .process('append', appendStores, () =>
        createAppender({
          ds: config.ds,
          ...config.appender,
          subscribed: subscription(config),
          logical,
          partitions: config.topics.partitions,
          signals: { schema: config.signals.schema, partitions: config.topics.partitions },
          beforeImage: beforeImage(config),
          result: resultPlacing(config),
          ...(config.pull !== undefined && { heldBytes: config.pull.heldBytes }),
          masks: () => inForce(masks.value),
          ...avroOptions(config, config.appender.maxRows),
        }),
      );
    const pull = pullTopic(config);
    const { answers, results } = appended.branch('kind', {
      answers: output => output.topic === pull.name,
      results: () => true,
    });
    answers.to('pull', pull, { key: output => output.key, value: output => output.value });
    writeResults(results, config);
    if (writesStatistics(config)) {
      writeStatistics(results, ({ stat }) => (stat === undefined ? [] : [stat]));
    }
  },
});

/** Masks made ready for use, once for each change of them. */
function rulesOf(
  { keys }: Line['masking'],
  functions: MaskFunctions,
  logical: LogicalName,
): (masks: SharedMasks) => MaskRules {
  let made: { readonly from: SharedMasks; readonly rules: MaskRules } | null = null;
  return from => {
    if (made?.from !== from)
      made = { from, rules: maskRules(from.masks, keys, functions, from.revision, logical) };
    return made.rules;
  };
}

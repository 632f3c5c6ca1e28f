import { Buffer } from 'node:buffer';
import { openPullSource } from '../../adapters/mysql/pull-source.ts';
import { openSourceLoad } from '../../adapters/mysql/source-load.ts';
import { decodeCell, PullCells, REQUESTS } from '../../adapters/pull/pull-cells.ts';
import { PullWorker } from '../../adapters/pull/pull-worker.ts';
import type { LineSchemas } from '../../adapters/registry/line-schemas.ts';
import type { ControlMessage } from '../../change/pull-job.ts';
import type { Line } from '../../config/line.ts';
import { logicalName } from '../../config/logical-tables.ts';
import { maskRules } from '../../config/mask-rules.ts';
import { MASKS_PATH } from '../../config/shared-masks.ts';
import { UmbusError } from '../../core/errors.ts';
import type { MaskFunctions, MaskRules } from '../../masking/mask-spec.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Coordination } from '../../ports/coordination.ts';
import type { Log, TopicSpec } from '../../ports/log.ts';
import { specOf } from '../../runtime/topic-spec.ts';
import { RowCopier } from '../../stages/copy-rows.ts';
import { tablePartition } from '../../stages/dispatch.ts';
import { zoneOf } from '../../ums/zone.ts';
import { type EventLog, errorFields } from '../event-log.ts';
import type { MasksInForce } from '../masks/masks-in-force.ts';
import { pullReplica } from '../pull/pull-replica-of.ts';
import { askInitialPulls } from './initial-pulls.ts';

/** What the pulls of a process need. */
export interface PullToolsOptions {
  readonly line: Line;
  readonly registered: LineSchemas | null;
  /** Those of the start, and how to read those that are applied later. */
  readonly inForce: Pick<MasksInForce, 'masks' | 'read'> & { readonly functions: MaskFunctions };
  readonly log: Log;
  readonly coordination: Coordination;
  readonly clock: Clock;
  readonly member: string;
  readonly stopping: AbortSignal;
  readonly events: EventLog;
}

/** Who does the pulls of a process; until it is disposed, requests of the command line are passed on too. */
export interface PullTools extends AsyncDisposable {
  readonly pulls: PullWorker;
}

const RETRY_MS = 1000;

/** Opens them. The source is connected to when the first pull asks for it. */
export async function openPullTools(options: PullToolsOptions): Promise<PullTools> {
  const { line, registered, inForce, log, coordination, clock, member, stopping } = options;
  const { controlTopic, pullTopic, schemaTopic } = await import('../../../topologies/topics.ts');
  const settings = { ...line, registered };
  const logical = logicalName(line);
  const rulesNow = async (): Promise<MaskRules> => {
    const cell = await coordination.get(MASKS_PATH);
    const { masks, revision } = cell === null ? inForce.masks : inForce.read(cell.value);
    return maskRules(masks, line.masking.keys, inForce.functions, revision, logical);
  };
  const masked = async (schema: string, table: string): Promise<(column: string) => boolean> => {
    const rules = (await rulesNow()).of(schema, table);
    return column => (rules?.ruleOf(column) ?? null) !== null;
  };
  const cells = new PullCells(coordination, line.ds);
  const replica = pullReplica(line);
  const pulls = new PullWorker({
    log,
    clock,
    source: openPullSource(line.source, { ds: line.ds, signalSchema: line.signals.schema, masked, replica }),
    cells,
    answers: specOf(pullTopic(settings)),
    target: (schema, table) => ({
      topic: schemaTopic(settings, schema).name,
      partition: tablePartition(schema, logical(schema, table), line.topics.partitions),
    }),
    encode: run => schemaTopic(settings, 'any').value.encode(run),
    member,
    stopping,
    concurrency: line.pull.concurrency,
    load: openSourceLoad(replica?.login ?? line.source),
    backOff: line.pull.backOff,
    copies: {
      copier: new RowCopier({
        ds: line.ds,
        maxRows: line.appender.maxRows,
        maxBytes: line.appender.maxBytes,
        zone: zoneOf(line.appender.timeZone),
        logical,
      }),
      masks: rulesNow,
      topicOf: name => copyTopic(line, name),
    },
  });
  const closed = new AbortController();
  const until = AbortSignal.any([stopping, closed.signal]);
  const passing = passRequests(options, specOf(controlTopic(settings)), until);
  const asking = askInitialPulls(line, cells, clock, options.events, until);
  return {
    pulls,
    async [Symbol.asyncDispose]() {
      closed.abort(new UmbusError('UMBUS_LOG_CLOSED', 'The pulls of this process have ended.'));
      await passing;
      await asking;
      await pulls[Symbol.asyncDispose]();
    },
  };
}

/** Writes the requests that the command line leaves in coordination to the line's control topic. One that is written twice is one pull: the splitter knows it by its name. */
async function passRequests(
  { coordination, log, clock, member, events }: PullToolsOptions,
  control: TopicSpec,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const { path, value } of coordination.watch(REQUESTS, signal)) {
        if (value === null) continue;
        const message = decodeCell<ControlMessage>(value);
        await log.ensureTopics([control]);
        await using writer = await log.openWriter(`umbus.requests.${member}`);
        await writer.append([
          {
            topic: control.name,
            partition: 0,
            key: Buffer.from(message.type, 'utf8'),
            value: Buffer.from(value),
            timestampMs: clock.now(),
            headers: {},
          },
        ]);
        await coordination.remove(path);
      }
    } catch (error) {
      if (signal.aborted) return;
      events('warn', 'A request for a full pull could not be taken; trying again.', errorFields(error));
      await clock.sleep(RETRY_MS, signal);
    }
  }
}

const TOPIC = /^[A-Za-z0-9._-]{1,249}$/;

/** The topic of an independent pull: any name but those that belong to the line. Errors: UMBUS_PULL_TOPIC. */
function copyTopic({ ds, topics }: Line, name: string): TopicSpec {
  const own = name === ds || name.startsWith(`${ds}.`) || name.startsWith(`${ds}_`);
  if (own || !TOPIC.test(name) || name === '.' || name === '..') {
    const why = own ? 'belongs to the line itself' : 'is no name of a topic';
    throw new UmbusError('UMBUS_PULL_TOPIC', `'${name}' ${why}, so no independent pull can write there.`, {
      details: { topic: name },
    });
  }
  const { retentionMs, retentionBytes } = topics;
  return { name, partitions: 1, cleanup: 'delete', retentionMs, retentionBytes };
}

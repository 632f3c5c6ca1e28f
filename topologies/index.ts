import type { LineSchemas } from '../src/adapters/registry/line-schemas.ts';
import type { Line } from '../src/config/line.ts';
import type { ChangeSource } from '../src/ports/change-source.ts';
import type { TopologyDefinition } from '../src/topology/definition.ts';
import { type AppenderConfig, appender } from './appender.ts';
import { dispatcher } from './dispatcher.ts';
import { type HeartbeatPorts, heartbeat } from './heartbeat.ts';
import { mysqlExtractor } from './mysql-extractor.ts';
import { puller } from './puller.ts';
import { type PullConfig, splitter } from './splitter.ts';
import { writesStatistics } from './statistics.ts';
import { statistics, type TelemetryPorts, traces } from './telemetry.ts';

/** A named topology with its config for one line. */
export interface LineTopology {
  readonly name: string;
  readonly definition: TopologyDefinition<unknown>;
  readonly config: unknown;
}

function configured<C>(definition: TopologyDefinition<C>, config: C): LineTopology {
  // The pair stays together, so whoever starts the definition gives it the config of its type.
  return { name: definition.name, definition: definition as TopologyDefinition<unknown>, config };
}

/** What the topologies of a line need beside it. `registered`: of a line with a registry. `heartbeat`: of a line that beats; left out, it does not. */
export interface LinePorts extends Pick<AppenderConfig, 'masks' | 'functions'> {
  readonly source: ChangeSource;
  readonly registered?: LineSchemas | null;
  readonly heartbeat?: HeartbeatPorts | null;
  /** Who does full pulls; left out where nobody does. */
  readonly pulls?: PullConfig['pulls'] | null;
  /** Where the statistics of a line that beats are written to. */
  readonly telemetry?: TelemetryPorts | null;
}

function readersOfStatistics(line: Line, telemetry: TelemetryPorts | null): readonly LineTopology[] {
  const { points = null, spans = null } = telemetry ?? {};
  const { ds, metrics } = line;
  return [
    ...(points === null ? [] : [configured(statistics, { ds, points })]),
    ...(spans === null || metrics.otlp === null
      ? []
      : [configured(traces, { ds, spans, sample: metrics.otlp.sample })]),
  ];
}

/** The named topologies of a line, in the order of the data path. */
export function lineTopologies(line: Line, ports: LinePorts): readonly LineTopology[] {
  const {
    source,
    registered = null,
    heartbeat: beats = null,
    pulls = null,
    telemetry = null,
    ...masks
  } = ports;
  const config = { ...line, registered, ...masks };
  return [
    configured(mysqlExtractor, { ...config, start: line.source.start, source }),
    configured(dispatcher, config),
    configured(appender, config),
    ...(pulls === null
      ? []
      : [configured(splitter, { ...config, pulls }), configured(puller, { ...config, pulls })]),
    ...(line.heartbeat !== null && beats !== null
      ? [configured(heartbeat, { ...config, ...beats, heartbeat: line.heartbeat })]
      : []),
    ...(writesStatistics(line) ? readersOfStatistics(line, telemetry) : []),
  ];
}

export {
  appender,
  dispatcher,
  type HeartbeatPorts,
  heartbeat,
  mysqlExtractor,
  puller,
  splitter,
  statistics,
  type TelemetryPorts,
  traces,
};

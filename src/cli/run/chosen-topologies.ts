import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { LinePorts } from '../../../topologies/index.ts';
import { closest } from '../../config/closest.ts';
import type { Line } from '../../config/line.ts';
import { messageOf, UmbusError } from '../../core/errors.ts';
import { isTopology, type TopologyDefinition } from '../../topology/definition.ts';

/** A topology that was asked for, with the config it starts with. */
export interface ChosenTopology {
  readonly definition: TopologyDefinition<unknown>;
  readonly config: unknown;
}

/** The names of the topologies of a line, in the order of the data path. */
export const namedTopologies = [
  'mysql-extractor',
  'dispatcher',
  'appender',
  'splitter',
  'puller',
  'heartbeat',
  'statistics',
  'traces',
] as const;

/** The named topologies that a line has: the last three only where its file asks for them. */
export function topologiesOf({ heartbeat, metrics }: Line): readonly string[] {
  const has: Readonly<Record<string, boolean>> = {
    heartbeat: heartbeat !== null,
    statistics: heartbeat?.statistics === true && metrics.influxdb !== null,
    traces: heartbeat?.statistics === true && metrics.otlp !== null,
  };
  return namedTopologies.filter(name => has[name] ?? true);
}

/** The topologies that some process has to run at any time, for the line to be well. */
export function neededTopologies(line: Line): readonly string[] {
  const needed = new Set(['mysql-extractor', 'dispatcher', 'appender', 'heartbeat']);
  return topologiesOf(line).filter(name => needed.has(name));
}

/** Stands for all of {@link namedTopologies} beside a file of the user's. */
export const WHOLE_LINE = 'line';

/** Whether an argument names a module with topologies of the user's, rather than a topology of the line. */
export function isModulePath(argument: string): boolean {
  return /[/\\]/.test(argument) || /\.[cm]?[jt]s$/.test(argument);
}

/** Topologies of a line by name; all that it has for `line`. `registered`: null for a line without a registry. Errors: UMBUS_USAGE for an unknown name. */
export async function lineTopologiesNamed(
  line: Line,
  ports: LinePorts,
  names: readonly string[],
): Promise<readonly ChosenTopology[]> {
  const { lineTopologies } = await import('../../../topologies/index.ts');
  const all = lineTopologies(line, ports);
  for (const name of names) checkTopologyName(name);
  const lacking = names.find(name => name !== WHOLE_LINE && !topologiesOf(line).includes(name));
  if (lacking !== undefined)
    throw new UmbusError('UMBUS_USAGE', `${lackingText[lacking] ?? ''}, so there is no topology ${lacking}.`);
  const chosen = names.includes(WHOLE_LINE) ? all : all.filter(each => names.includes(each.name));
  return chosen.map(({ definition, config }) => ({ definition, config }));
}

const lackingText: Readonly<Record<string, string>> = {
  heartbeat: 'The line file has no `heartbeat` section',
  statistics: 'The line file lacks `heartbeat` with statistics, or `metrics.influxdb`',
  traces: 'The line file lacks `heartbeat` with statistics, or `metrics.otlp`',
};

/** Errors: UMBUS_USAGE for a name that no topology of a line has. */
export function checkTopologyName(name: string): void {
  const known: readonly string[] = [...namedTopologies, WHOLE_LINE];
  if (known.includes(name)) return;
  const meant = closest(name, known);
  const hint = meant === null ? '' : ` Did you mean ${meant}?`;
  throw new UmbusError(
    'UMBUS_USAGE',
    `There is no topology ${name}; a line has ${namedTopologies.join(', ')}. A module of your own is given as a path, such as ./my-topology.ts.${hint}`,
  );
}

/**
 * The topologies that a module exports, by any name, also in arrays, in the order of the export names. All get the same config, which the schema of each checks. Errors: UMBUS_USAGE when the
 * module is not there or exports none, UMBUS_TOPOLOGY_INVALID when it cannot be loaded.
 */
export async function moduleTopologies(file: string, config: unknown): Promise<readonly ChosenTopology[]> {
  const path = resolve(file);
  if (!existsSync(path)) throw new UmbusError('UMBUS_USAGE', `There is no file ${file}.`);
  let exported: Readonly<Record<string, unknown>>;
  try {
    exported = await import(pathToFileURL(path).href);
  } catch (cause) {
    throw new UmbusError(
      'UMBUS_TOPOLOGY_INVALID',
      `The module ${file} cannot be loaded: ${messageOf(cause)}.`,
      { cause },
    );
  }
  const found = new Set(Object.values(exported).flat().filter(isTopology));
  if (found.size === 0) {
    throw new UmbusError(
      'UMBUS_USAGE',
      `The module ${file} exports no topology; it should export the value of defineTopology(...).`,
    );
  }
  return [...found].map(definition => ({ definition, config }));
}

/** Throws UMBUS_USAGE when two topologies have one name: they would share a consumer group. */
export function assertNamesDiffer(chosen: readonly ChosenTopology[]): void {
  const seen = new Set<string>();
  for (const { definition } of chosen) {
    if (seen.has(definition.name)) {
      throw new UmbusError(
        'UMBUS_USAGE',
        `Two topologies are called ${definition.name}; each needs a name of its own.`,
      );
    }
    seen.add(definition.name);
  }
}

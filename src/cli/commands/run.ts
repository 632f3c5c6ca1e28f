import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import type { LinePorts } from '../../../topologies/index.ts';
import { systemClock } from '../../adapters/system-clock.ts';
import type { Line, MetricsSettings } from '../../config/line.ts';
import { noMetrics } from '../../config/metrics-schema.ts';
import { parseListenAddress } from '../../config/settings.ts';
import { UmbusError } from '../../core/errors.ts';
import { openAlarmWatch } from '../alarms/open-watch.ts';
import { createEventLog, errorFields } from '../event-log.ts';
import { exitCodeOf, exitCodesHelp } from '../exit-codes.ts';
import { maskCells } from '../masks/mask-cells.ts';
import { openMasksInForce } from '../masks/masks-in-force.ts';
import { lineOf, logPlace, openLogIn } from '../open-line.ts';
import type { ExitWith } from '../program.ts';
import {
  assertNamesDiffer,
  type ChosenTopology,
  checkTopologyName,
  isModulePath,
  lineTopologiesNamed,
  moduleTopologies,
  neededTopologies,
  WHOLE_LINE,
} from '../run/chosen-topologies.ts';
import { configFrom } from '../run/config-option.ts';
import { heartbeatPorts } from '../run/heartbeat-ports.ts';
import { openOutside } from '../run/outside.ts';
import type { PullTools, PullToolsOptions } from '../run/pull-tools.ts';
import { runTopologies } from '../run/run-topologies.ts';
import { telemetryPorts } from '../run/telemetry-ports.ts';
import { openTelemetry } from '../telemetry/run-telemetry.ts';
import type { Terminal } from '../terminal.ts';

interface Options {
  readonly line?: string;
  readonly config: readonly string[];
  readonly instance?: string;
  readonly logDir?: string;
  readonly log: 'text' | 'json';
  readonly metrics?: string;
}

/** A log without a line may grow to this. */
const LOG_BYTES_MAX = 64 * 1024 ** 3;

/** `umbus run`: runs topologies in this process. */
export function runCommand(terminal: Terminal, exitWith: ExitWith): Command {
  return new Command('run')
    .summary('run topologies of a line, or your own')
    .description(
      'Runs the topologies of a data line in this process: mysql-extractor, dispatcher, appender, splitter and puller, heartbeat where the line file has it, or those named. A path names a module of your own that exports topologies. Goes on until SIGINT or SIGTERM: what was read is then finished and committed. A second signal ends at once; nothing is lost by it.',
    )
    .argument(
      '[topology...]',
      `mysql-extractor, dispatcher, appender, splitter, puller, heartbeat, ${WHOLE_LINE} (all of them), or a path such as ./my-topology.ts`,
    )
    .option('--line <file>', 'data line file')
    .option('--config <key=value|file>', 'config for topologies of your own; may be repeated', collect, [])
    .option('--instance <name>', 'name of this deployment, part of group names (default: the data source)')
    .option('--log-dir <dir>', 'directory of the embedded log, for topologies of your own without a line')
    .option(
      '--metrics <host:port>',
      'serve /metrics, /healthz and /readyz there; a port alone: on this machine',
    )
    .addOption(
      new Option('--log <format>', 'form of the messages on standard error')
        .choices(['text', 'json'])
        .default('text'),
    )
    .addHelpText(
      'after',
      `
${exitCodesHelp}

Examples:
  $ umbus run --line shop.yaml
  $ umbus run --line shop.yaml mysql-extractor
  $ umbus run --line shop.yaml line ./alerts.ts --config threshold=100
  $ umbus run ./word-count.ts --log-dir .umbus/words --config words.yaml`,
    )
    .action(async (names: readonly string[], options: Options) => {
      try {
        await run(names, options, terminal);
      } catch (error) {
        if (options.log === 'text') throw error;
        // Whoever reads JSON lines gets nothing else.
        const events = createEventLog('json', systemClock, text => terminal.tell(text));
        events('error', 'The run has ended with an error.', errorFields(error));
        exitWith(exitCodeOf(error));
      }
    });
}

async function run(names: readonly string[], options: Options, terminal: Terminal): Promise<void> {
  const line = options.line === undefined ? null : lineOf(options.line, terminal);
  assertChoice(names, options, line);
  const modules = await chosenModules(names, options, terminal);
  const events = createEventLog(options.log, systemClock, text => terminal.tell(text));
  const { stopping } = terminal;
  const member = `${hostname()}-${process.pid}`;
  const about = {
    host: hostname(),
    pid: String(process.pid),
    since: new Date(systemClock.now()).toISOString(),
  };
  const instance = options.instance ?? line?.ds ?? 'local';
  const metrics = metricsOf(options, line);
  await using telemetry = await openTelemetry({ settings: metrics, instance, clock: systemClock, events });
  const base = { clock: systemClock, instance, member, about, events, stopping, telemetry };
  if (line === null) {
    const dir = resolve(options.logDir ?? '');
    await using log = await openLogIn(dir, LOG_BYTES_MAX, 'owner');
    events('info', 'Log is open.', { at: dir });
    telemetry?.ready();
    await runTopologies(modules, { ...base, log });
    return;
  }
  await using outside = await openOutside(line, base);
  if (outside === null) return;
  events('info', 'Log is open.', { at: logPlace(line), line: options.line });
  await using _watch = telemetry?.watch(line, outside.log, outside.coordination);
  await using _alarms = await openAlarmWatch({
    ...{ line, member, events, clock: systemClock },
    ...{ log: outside.log, coordination: outside.coordination, expected: neededTopologies(line) },
  });
  telemetry?.ready();
  const { log, coordination } = outside;
  await using inForce = await openMasksInForce(line, coordination);
  const { masks, functions } = inForce;
  const heartbeat = await heartbeatPorts(line, coordination, events);
  const tools = {
    line,
    inForce,
    registered: outside.registered,
    log,
    coordination,
    clock: systemClock,
    member,
  };
  await using pulling = await pullsOf(names, { ...tools, stopping, events });
  const pulls = pulling?.pulls ?? null;
  const sinks = await telemetryPorts(line);
  const ports = {
    ...{ registered: outside.registered, heartbeat, telemetry: sinks },
    ...{ pulls, masks, functions },
  };
  const named = await chosenNamed(names, line, ports);
  const chosen = [...named, ...modules];
  assertNamesDiffer(chosen);
  const cells = maskCells(coordination, systemClock, events, inForce.read);
  await runTopologies(chosen, { ...base, log, coordination, cells });
}

/** Who does full pulls here; null where neither splitter nor puller runs. */
async function pullsOf(names: readonly string[], options: PullToolsOptions): Promise<PullTools | null> {
  const named = namedIn(names);
  if (![WHOLE_LINE, 'splitter', 'puller'].some(name => named.includes(name))) return null;
  const { openPullTools } = await import('../run/pull-tools.ts');
  return await openPullTools(options);
}

/** Errors: UMBUS_USAGE for an address that is none. */
function metricsOf(options: Options, line: Line | null): MetricsSettings {
  const settings = line?.metrics ?? noMetrics;
  if (options.metrics === undefined) return settings;
  const prometheus = parseListenAddress(options.metrics);
  if (prometheus === null)
    throw new UmbusError(
      'UMBUS_USAGE',
      '--metrics takes host:port or a port to listen at, such as 127.0.0.1:9464.',
    );
  return { ...settings, prometheus };
}

function namedIn(names: readonly string[]): readonly string[] {
  return names.length === 0 ? [WHOLE_LINE] : names.filter(name => !isModulePath(name));
}

/** Errors: UMBUS_USAGE for arguments that do not fit together. */
function assertChoice(names: readonly string[], options: Options, line: Line | null): void {
  const named = namedIn(names);
  if (named.length > 0 && line === null) {
    throw new UmbusError(
      'UMBUS_USAGE',
      'The topologies of a line need --line FILE; a module of your own is given as a path, such as ./my-topology.ts.',
    );
  }
  if (line === null && options.logDir === undefined) {
    throw new UmbusError(
      'UMBUS_USAGE',
      'Say where the log is: --line FILE, or --log-dir DIR for a log without a line.',
    );
  }
  if (line !== null && options.logDir !== undefined) {
    throw new UmbusError(
      'UMBUS_USAGE',
      '--line and --log-dir exclude each other: the line file names its log.',
    );
  }
  if (!names.some(isModulePath) && options.config.length > 0) {
    throw new UmbusError(
      'UMBUS_USAGE',
      '--config is for topologies of your own; those of a line take theirs from the line file.',
    );
  }
  for (const name of named) checkTopologyName(name);
}

async function chosenModules(
  names: readonly string[],
  options: Options,
  terminal: Terminal,
): Promise<readonly ChosenTopology[]> {
  const config = configFrom(options.config, terminal.environment);
  const chosen: ChosenTopology[] = [];
  for (const file of names.filter(isModulePath)) chosen.push(...(await moduleTopologies(file, config)));
  assertNamesDiffer(chosen);
  return chosen;
}

async function chosenNamed(
  names: readonly string[],
  line: Line,
  ports: Omit<LinePorts, 'source'>,
): Promise<readonly ChosenTopology[]> {
  const named = namedIn(names);
  if (named.length === 0) return [];
  const { createMysqlSource } = await import('../../adapters/mysql/index.ts');
  return await lineTopologiesNamed(line, { ...ports, source: createMysqlSource(line.source) }, named);
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

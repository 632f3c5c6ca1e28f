import { Command, Option } from 'commander';
import type { HeartbeatPorts } from '../../../topologies/index.ts';
import { systemClock } from '../../adapters/system-clock.ts';
import type { Line } from '../../config/line.ts';
import { readLineText } from '../../config/load-line.ts';
import { assert } from '../../core/assert.ts';
import { UmbusError } from '../../core/errors.ts';
import type { ChangeSource } from '../../ports/change-source.ts';
import { describe, describeTopology } from '../../topology/describe.ts';
import { jsonText } from '../json-text.ts';
import { lineOf } from '../open-line.ts';
import {
  type ChosenTopology,
  isModulePath,
  lineTopologiesNamed,
  moduleTopologies,
  WHOLE_LINE,
} from '../run/chosen-topologies.ts';
import { configFrom } from '../run/config-option.ts';
import type { Terminal } from '../terminal.ts';

interface Options {
  readonly line?: string;
  readonly config: readonly string[];
  readonly json?: boolean;
  readonly mermaid?: boolean;
}

/** Shows the shape of the topologies where no line file is given. */
const EXAMPLE_LINE = 'ds: example\nsource: { url: "mysql://umbus@localhost" }\nschemas: { shop: {} }\n';

/** `umbus describe`: the graph of a topology. */
export function describeCommand(terminal: Terminal): Command {
  return new Command('describe')
    .summary('the graph of a topology')
    .description(
      'Prints the graph of a topology, or of all topologies of a line: stages, topics, stores and tasks. Starts nothing and connects to nothing. Without a line file an example line gives the names.',
    )
    .argument(
      '[topology]',
      'mysql-extractor, dispatcher, appender, splitter, puller, heartbeat, or a path such as ./my-topology.ts',
      WHOLE_LINE,
    )
    .option('--line <file>', 'data line file')
    .option('--config <key=value|file>', 'config for a topology of your own; may be repeated', collect, [])
    .addOption(new Option('--json', 'as a JSON array, for scripts').conflicts('mermaid'))
    .option('--mermaid', 'as Mermaid flowcharts, for documents')
    .addHelpText(
      'after',
      `
Examples:
  $ umbus describe
  $ umbus describe appender --line shop.yaml
  $ umbus describe ./my-topology.ts --mermaid`,
    )
    .action(async (name: string, options: Options) => {
      const chosen = await chosenOf(name, options, terminal);
      if (options.json === true) {
        const all = chosen.map(({ definition, config }) => describeTopology(definition, config));
        await terminal.report(`${jsonText(all)}\n`);
        return;
      }
      const format = options.mermaid === true ? 'mermaid' : 'text';
      const texts = chosen.map(({ definition, config }) => describe(definition, config, format).trimEnd());
      await terminal.report(`${texts.join('\n\n')}\n`);
    });
}

async function chosenOf(
  name: string,
  options: Options,
  terminal: Terminal,
): Promise<readonly ChosenTopology[]> {
  if (isModulePath(name)) return moduleTopologies(name, configFrom(options.config, terminal.environment));
  if (options.config.length > 0) {
    throw new UmbusError(
      'UMBUS_USAGE',
      '--config is for topologies of your own; those of a line take theirs from the line file.',
    );
  }
  const line = options.line === undefined ? exampleLine() : lineOf(options.line, terminal);
  return lineTopologiesNamed(
    line,
    {
      source: unopenedSource,
      registered: null,
      heartbeat: unopenedHeartbeat,
      pulls: idlePulls,
      telemetry: { points: async () => {}, spans: async () => {} },
    },
    [name],
  );
}

function exampleLine(): Line {
  const { line } = readLineText(EXAMPLE_LINE, 'example.yaml', {});
  assert(line !== null, 'The example line is not valid.');
  return line;
}

function unopened(): never {
  throw new UmbusError('UMBUS_INTERNAL', 'Describing a topology must not open its source.');
}

const unopenedSource: ChangeSource = { open: unopened, describe: unopened };

const unopenedHeartbeat: HeartbeatPorts = {
  beats: {
    open() {
      throw new UmbusError('UMBUS_INTERNAL', 'Describing a topology must not beat.');
    },
  },
  clock: systemClock,
  schedule: () => null,
};

const idlePulls = {
  isPaused: () => false,
  split: () =>
    Promise.reject(new UmbusError('UMBUS_INTERNAL', 'Describing a topology must not split a table.')),
  pull: () =>
    Promise.reject(new UmbusError('UMBUS_INTERNAL', 'Describing a topology must not pull a table.')),
};

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

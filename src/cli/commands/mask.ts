import { Command } from 'commander';
import { logicalName } from '../../config/logical-tables.ts';
import { lineMasks, maskRules } from '../../config/mask-rules.ts';
import { fileMasks, sharedMasksSerde } from '../../config/shared-masks.ts';
import { exitCodes } from '../exit-codes.ts';
import { jsonText } from '../json-text.ts';
import { type AppliedMasks, applyMasks } from '../masks/apply-masks.ts';
import { differencesText } from '../masks/differences-text.ts';
import { openLineFunctions } from '../masks/masks-in-force.ts';
import { givenRow, sourceRows, tableNamed } from '../masks/sample-rows.ts';
import { sampleText } from '../masks/sample-text.ts';
import { sideBySide } from '../masks/side-by-side.ts';
import { lineOf, openLineLog } from '../open-line.ts';
import { openLineCoordination } from '../open-services.ts';
import { wholeOption } from '../options.ts';
import type { ExitWith } from '../program.ts';
import type { Terminal } from '../terminal.ts';

interface Options {
  readonly line: string;
  readonly json?: boolean;
  readonly rows: number;
  readonly value: readonly string[];
}

/** More rows than these are no sample. */
const ROWS_MAX = 1_000;

/** `umbus mask`: what the masks of a line do to a table, and putting changed masks in force. */
export function maskCommand(terminal: Terminal, exitWith: ExitWith): Command {
  const mask = new Command('mask')
    .summary('try the masks of a line on a table; apply them to the running line')
    .description(
      'Shows rows of a table plain and masked, side by side: rows of the source, or values that you give. Nothing but this terminal sees them.',
    )
    .requiredOption('--line <file>', 'data line file')
    .option('--json', 'as JSON, for scripts')
    .addHelpText(
      'after',
      `
Examples:
  $ umbus mask --line shop.yaml store.customers
  $ umbus mask --line shop.yaml store.customers --value phone=13812345678 --value age:int=42
  $ umbus mask --line shop.yaml apply`,
    );
  mask
    .command('show', { isDefault: true })
    .summary('rows plain and masked, side by side')
    .description(
      'Shows what masks each column of a table, and sample rows plain and masked, made by the code that masks changes and full pulls. Says which columns look like personal data and have no mask.',
    )
    .argument('<table>', 'schema.table, or table when the line has one schema')
    .option('--rows <number>', 'how many rows of the source', wholeOption, 5)
    .option(
      '--value <column=text>',
      'a value instead of rows of the source; column:type=text for another type than string',
      collect,
      [],
    )
    .addHelpText(
      'after',
      '\nExits with 1 when a mask fails or does not fit its column: the table would be parked.',
    )
    .action(async (table: string, _options: unknown, command: Command) =>
      show(table, command.optsWithGlobals<Options>(), terminal, exitWith),
    );
  mask
    .command('apply')
    .summary('put the masks of the line file in force on the running line')
    .description(
      'Checks the masks of the line file and hands them to the processes of the line, which take them over between two records, without a restart. Says what was added (+) and removed (-). From then on a process whose line file has other masks refuses to start.',
    )
    .action(async (_options: unknown, command: Command) =>
      apply(command.optsWithGlobals<Options>(), terminal),
    );
  return mask;
}

async function show(name: string, options: Options, terminal: Terminal, exitWith: ExitWith): Promise<void> {
  const line = lineOf(options.line, terminal);
  const table = tableNamed(name, line);
  await using functions = await openLineFunctions(line);
  const serde = sharedMasksSerde(line.masking, functions);
  // Decoding says what is wrong with modules.
  serde.decode(serde.encode(fileMasks(line)));
  const rules = maskRules(lineMasks(line), line.masking.keys, functions, 0, logicalName(line));
  const rows =
    options.value.length > 0
      ? givenRow(table, options.value)
      : await sourceRows(line, table, Math.min(options.rows, ROWS_MAX), terminal.stopping);
  const sample = sideBySide(rows, rules.of(table.schema, table.table));
  const paint = terminal.paint.bind(terminal);
  await terminal.report(options.json === true ? `${jsonText(sample)}\n` : sampleText(sample, paint));
  if (sample.problem !== null || sample.rows.some(({ problem }) => problem !== null)) {
    exitWith(exitCodes.failed);
  }
}

async function apply(options: Options, terminal: Terminal): Promise<void> {
  const line = lineOf(options.line, terminal);
  const { systemClock } = await import('../../adapters/system-clock.ts');
  await using log = await openLineLog(line, 'reader');
  await using coordination = await openLineCoordination(line, log, systemClock);
  const applied = await applyMasks(line, coordination, systemClock);
  await terminal.report(options.json === true ? `${jsonText(applied)}\n` : appliedText(applied));
}

function appliedText({ revision, differences }: AppliedMasks): string {
  if (differences.length === 0)
    return `The masks of the file are in force already, as revision ${revision}.\n`;
  return `${differencesText(differences)}\nIn force from the next record on, as revision ${revision}.\n`;
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

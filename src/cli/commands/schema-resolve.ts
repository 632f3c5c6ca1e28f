import { Command } from 'commander';
import type { Line } from '../../config/line.ts';
import { UmbusError } from '../../core/errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { jsonText } from '../json-text.ts';
import { lineOf, openLineLog } from '../open-line.ts';
import { openLineRegistry } from '../open-services.ts';
import { withOwnedLog } from '../parked/owned-log.ts';
import { checkColumns } from '../parked/parked-groups.ts';
import { type ResolvePlan, resolvePlan, resolveTable } from '../parked/resolve.ts';
import type { ExitWith } from '../program.ts';
import { columnsAtSource, columnsInFile } from '../schema/columns-to-give.ts';
import { planText, resolveText } from '../schema/resolve-text.ts';
import type { Terminal } from '../terminal.ts';

interface Options {
  readonly line: string;
  readonly json?: boolean;
  readonly columns?: string;
  readonly yes?: boolean;
}

/** `umbus schema resolve`: says which columns the parked rows of a table have, and replays them. */
export function schemaResolveCommand(terminal: Terminal, exitWith: ExitWith): Command {
  return new Command('resolve')
    .summary('say which columns a parked table had, and replay it')
    .description(
      'For a table that is parked because its columns are not known for certain (UMBUS_BINLOG_COLUMNS). Takes its columns as the source has them now, or had them then as a file says, checks them against every parked table map, shows them, asks, and replays the table with them. They are kept for the rows that follow. Stop the line first: only the owner of the log can write.',
    )
    .argument('<table>', 'schema.table')
    .option(
      '--columns <file>',
      'a CREATE TABLE statement, for columns that were others then than they are now',
    )
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      `
When the columns changed again while the table was parked, each change is resolved by a call of its own, in order, and the table is replayed with the last.
Exits with 0 when the table was replayed, 1 when it stays parked, 4 when the source does not answer, 5 when the line runs.

Examples:
  $ umbus schema resolve --line shop.yaml shop.orders
  $ umbus schema resolve --line shop.yaml shop.orders --columns orders-then.sql --yes`,
    )
    .action(async (table: string, _options: unknown, command: Command) =>
      resolve(table, command.optsWithGlobals<Options>(), terminal, exitWith),
    );
}

async function resolve(
  table: string,
  options: Options,
  terminal: Terminal,
  exitWith: ExitWith,
): Promise<void> {
  const line = lineOf(options.line, terminal);
  const plan = await planned(line, table, terminal.stopping);
  const { columns: file } = options;
  const columns =
    file === undefined ? await columnsAtSource(line, plan.group, terminal.stopping) : columnsInFile(file);
  checkColumns(plan.group, columns);
  const from = file === undefined ? 'the source has them now' : `${file} says`;
  const shown = planText(plan, columns, from);
  if (options.json === true) terminal.tell(shown);
  else await terminal.report(shown);
  if (options.yes !== true) {
    const answer = await terminal.ask(`Are these the columns of ${table} from ${plan.group.since} on?`);
    if (answer === null) {
      throw new UmbusError('UMBUS_USAGE', 'Nobody can be asked here, and nothing was written: add --yes.');
    }
    if (!answer) {
      terminal.tell('Nothing was written.');
      exitWith(exitCodes.failed);
      return;
    }
  }
  const report = await withOwnedLog(line, terminal.stopping, owned =>
    resolveTable(owned, line, plan, columns),
  );
  await terminal.report(options.json === true ? `${jsonText(report)}\n` : resolveText(report));
  if (report.replay === null || report.replay.problem !== null) exitWith(exitCodes.failed);
}

async function planned(line: Line, table: string, signal: AbortSignal): Promise<ResolvePlan> {
  await using log = await openLineLog(line, 'reader');
  await using registry = await openLineRegistry(line);
  return await resolvePlan(log, line, table, registry?.registered ?? null, signal);
}

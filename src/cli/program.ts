import { Command, CommanderError } from 'commander';
import { alarmsCommand } from './commands/alarms.ts';
import { checkCommand } from './commands/check.ts';
import { dashboardsCommand } from './commands/dashboards.ts';
import { describeCommand } from './commands/describe.ts';
import { heartbeatCommand } from './commands/heartbeat.ts';
import { initCommand } from './commands/init.ts';
import { maskCommand } from './commands/mask.ts';
import { parkedCommand } from './commands/parked.ts';
import { pullCommand } from './commands/pull.ts';
import { pullsCommand } from './commands/pulls.ts';
import { referenceCommand } from './commands/reference.ts';
import { runCommand } from './commands/run.ts';
import { schemaCommand } from './commands/schema.ts';
import { statusCommand } from './commands/status.ts';
import { tailCommand } from './commands/tail.ts';
import { errorText } from './error-text.ts';
import { type ExitCode, exitCodeOf, exitCodes, exitCodesHelp } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';
import { packageVersion } from './version.ts';

/** Ends the command with another code than 0 without an error, for example when `check` found something to change. */
export type ExitWith = (code: ExitCode) => void;

/** Runs a command line (without program and script name) and gives the exit code. Never rejects. */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let code: ExitCode = exitCodes.ok;
  const written: Promise<void>[] = [];
  const program = buildProgram(terminal, chosen => {
    code = chosen;
  });
  for (const command of withSubcommands(program)) {
    command.exitOverride();
    command.showSuggestionAfterError();
    command.configureOutput({
      writeOut: text => written.push(terminal.report(text)),
      writeErr: text => terminal.tell(text.replace(/\n$/, '')),
      outputError: text => terminal.tell(usageText(text, command)),
    });
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    await Promise.all(written);
    return code;
  } catch (error) {
    await Promise.all(written);
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    terminal.tell(errorText(error));
    return exitCodeOf(error);
  }
}

function buildProgram(terminal: Terminal, exitWith: ExitWith): Command {
  const program = new Command('umbus')
    .description('A change-data bus: every committed change of MySQL or MariaDB as UMS messages.')
    .version(packageVersion())
    .helpCommand('help [command]', 'help for a command')
    .configureHelp({ sortSubcommands: false })
    .addHelpText(
      'after',
      `\nFirst steps:\n  $ umbus init --mysql mysql://user@host:3306 --ds shop\n  $ umbus check --line shop.yaml\n  $ umbus run --line shop.yaml\n  $ umbus tail --line shop.yaml shop.shop.result --follow\n\n${exitCodesHelp}`,
    );
  for (const command of commandsOf(terminal, exitWith)) program.addCommand(command);
  program.addCommand(referenceCommand(terminal), { hidden: true });
  return program;
}

function commandsOf(terminal: Terminal, exitWith: ExitWith): readonly Command[] {
  return [
    initCommand(terminal),
    checkCommand(terminal, exitWith),
    runCommand(terminal, exitWith),
    statusCommand(terminal, exitWith),
    heartbeatCommand(terminal, exitWith),
    tailCommand(terminal),
    pullCommand(terminal, exitWith),
    pullsCommand(terminal),
    parkedCommand(terminal, exitWith),
    maskCommand(terminal, exitWith),
    schemaCommand(terminal, exitWith),
    alarmsCommand(terminal, exitWith),
    describeCommand(terminal),
    dashboardsCommand(terminal),
  ];
}

function* withSubcommands(command: Command): Generator<Command> {
  yield command;
  for (const child of command.commands) yield* withSubcommands(child);
}

/** The parser begins with `error: ` and ends with a line end; ours begin with the code. */
function usageText(text: string, command: Command): string {
  const names: string[] = [];
  for (let at: Command | null = command; at !== null && at.parent !== null; at = at.parent)
    names.unshift(at.name());
  const help = names.length === 0 ? 'umbus help' : `umbus help ${names[0]}`;
  return `umbus: UMBUS_USAGE: ${text.replace(/^error: /, '').trimEnd()}\n  See \`${help}\`.`;
}

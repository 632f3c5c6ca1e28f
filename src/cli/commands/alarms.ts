import { hostname, userInfo } from 'node:os';
import { Command } from 'commander';
import type { Line } from '../../config/line.ts';
import { parseDuration } from '../../config/quantity.ts';
import { isUmbusError, UmbusError } from '../../core/errors.ts';
import type { Coordination } from '../../ports/coordination.ts';
import { inForce, type Silence } from '../../telemetry/alarms/silence.ts';
import { readHistory, readSilences, readState, writeSilences } from '../alarms/alarm-cells.ts';
import { alarmsNow, alarmsText, historyText } from '../alarms/alarms-text.ts';
import { testReceivers, triedText } from '../alarms/test-alarm.ts';
import { exitCodes } from '../exit-codes.ts';
import { jsonText } from '../json-text.ts';
import { lineOf, openLineLog } from '../open-line.ts';
import { openLineCoordination } from '../open-services.ts';
import type { ExitWith } from '../program.ts';
import type { Terminal } from '../terminal.ts';

interface Options {
  readonly line: string;
  readonly json?: boolean;
}

interface SilenceOptions extends Options {
  readonly for: string;
  readonly reason: string;
}

/** Silences at a time. */
const SILENCES_MAX = 100;
const TRIES = 5;

/** `umbus alarms`: what is wrong, what was told, and who wants to hear nothing for a while. */
export function alarmsCommand(terminal: Terminal, exitWith: ExitWith): Command {
  const alarms = new Command('alarms')
    .summary('what is wrong: list, history, silence, unsilence, test')
    .description(
      'Processes that run a line watch it together when the line file names receivers under `alarms`: one of them looks at the source, the log and the topologies, and tells what is wrong and where, once.',
    )
    .requiredOption('--line <file>', 'data line file')
    .option('--json', 'as JSON, for scripts')
    .addHelpText(
      'after',
      `
Examples:
  $ umbus alarms --line shop.yaml
  $ umbus alarms --line shop.yaml history
  $ umbus alarms --line shop.yaml silence 'store.*' --for 2h --reason 'Nightly load'
  $ umbus alarms --line shop.yaml test`,
    );
  alarms
    .command('list', { isDefault: true })
    .summary('what is wrong now')
    .description(
      'Lists the faults that last, since when, and when people were told; and the silences. Exits with 1 when something is wrong.',
    )
    .action((_: unknown, command: Command) => list(command.optsWithGlobals<Options>(), terminal, exitWith));
  alarms
    .command('history')
    .summary('what was told')
    .description('Lists the alarms that were told last, oldest first.')
    .action((_: unknown, command: Command) => history(command.optsWithGlobals<Options>(), terminal));
  alarms
    .command('silence')
    .summary('tell nothing of a table, schema or hop for a while')
    .description(
      'Nobody is told of faults of this table, schema or hop until the time is over. What is told already stays told, and its end is told.',
    )
    .argument(
      '<pattern>',
      'schema.table, a schema, or a hop such as appender; `*` stands for any text, alone for everything',
    )
    .requiredOption('--for <duration>', 'how long, such as 30m or 2h')
    .requiredOption('--reason <text>', 'why, for the others')
    .action((pattern: string, _: unknown, command: Command) =>
      silence(pattern, command.optsWithGlobals<SilenceOptions>(), terminal),
    );
  alarms
    .command('unsilence')
    .summary('end a silence')
    .description('Ends the silence of this pattern.')
    .argument('<pattern>', 'as it was given to `silence`')
    .action((pattern: string, _: unknown, command: Command) =>
      unsilence(pattern, command.optsWithGlobals<Options>(), terminal),
    );
  alarms
    .command('test')
    .summary('send a test alarm to every receiver')
    .description(
      'Sends one alarm, and right after it that it is over, to every webhook, mail address and command under `alarms` of the line file, and says who has taken it. Nothing is tried twice. Exits with 1 when one has not.',
    )
    .action((_: unknown, command: Command) => test(command.optsWithGlobals<Options>(), terminal, exitWith));
  return alarms;
}

async function list(options: Options, terminal: Terminal, exitWith: ExitWith): Promise<void> {
  const line = lineOf(options.line, terminal);
  await using opened = await openCells(line);
  const { coordination } = opened;
  const nowMs = await now();
  const [{ value: state }, { value: silences }, leases] = await Promise.all([
    readState(coordination),
    readSilences(coordination),
    coordination.leases(),
  ]);
  const holder = leases.find(({ name }) => name === 'alarms')?.holder ?? null;
  const seen = alarmsNow(line.ds, holder, state, inForce(silences, nowMs));
  await terminal.report(options.json === true ? `${jsonText(seen)}\n` : alarmsText(seen, nowMs));
  if (seen.faults.length > 0) exitWith(exitCodes.failed);
}

async function history(options: Options, terminal: Terminal): Promise<void> {
  await using opened = await openCells(lineOf(options.line, terminal));
  const alarms = await readHistory(opened.coordination);
  await terminal.report(options.json === true ? `${jsonText(alarms)}\n` : historyText(alarms));
}

async function silence(pattern: string, options: SilenceOptions, terminal: Terminal): Promise<void> {
  const forMs = parseDuration(options.for);
  if (forMs === null || forMs <= 0)
    throw new UmbusError('UMBUS_USAGE', '--for takes a duration such as 30m or 2h.');
  const line = lineOf(options.line, terminal);
  const untilMs = (await now()) + forMs;
  const made: Silence = {
    pattern,
    untilMs,
    reason: options.reason,
    by: `${userInfo().username}@${hostname()}`,
  };
  await using opened = await openCells(line);
  await changeSilences(opened.coordination, others => [
    ...others.filter(other => other.pattern !== pattern),
    made,
  ]);
  terminal.tell(`Silent about ${pattern} until ${new Date(untilMs).toISOString()}.`);
}

async function unsilence(pattern: string, options: Options, terminal: Terminal): Promise<void> {
  await using opened = await openCells(lineOf(options.line, terminal));
  let found = false;
  await changeSilences(opened.coordination, silences => {
    found = silences.some(each => each.pattern === pattern);
    return silences.filter(each => each.pattern !== pattern);
  });
  if (!found)
    throw new UmbusError(
      'UMBUS_USAGE',
      `There is no silence of ${pattern}; \`umbus alarms list\` shows them.`,
    );
  terminal.tell(`No longer silent about ${pattern}.`);
}

async function test(options: Options, terminal: Terminal, exitWith: ExitWith): Promise<void> {
  const { systemClock } = await import('../../adapters/system-clock.ts');
  const tried = await testReceivers(lineOf(options.line, terminal), systemClock, terminal.stopping);
  await terminal.report(options.json === true ? `${jsonText(tried)}\n` : triedText(tried));
  if (tried.some(({ ok }) => !ok)) exitWith(exitCodes.failed);
}

async function changeSilences(
  coordination: Coordination,
  change: (silences: readonly Silence[]) => readonly Silence[],
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const { value, version } = await readSilences(coordination);
    const changed = change(inForce(value, await now()));
    if (changed.length > SILENCES_MAX)
      throw new UmbusError('UMBUS_USAGE', `There are ${SILENCES_MAX} silences already; end some of them.`);
    try {
      await writeSilences(coordination, changed, version);
      return;
    } catch (error) {
      if (!isUmbusError(error, 'UMBUS_COORDINATION_CONFLICT') || attempt === TRIES) throw error;
    }
  }
}

async function now(): Promise<number> {
  return (await import('../../adapters/system-clock.ts')).systemClock.now();
}

async function openCells(line: Line): Promise<AsyncDisposable & { readonly coordination: Coordination }> {
  const { systemClock } = await import('../../adapters/system-clock.ts');
  await using opened = new AsyncDisposableStack();
  const log = opened.use(await openLineLog(line, 'reader'));
  const coordination = opened.use(await openLineCoordination(line, log, systemClock));
  const kept = opened.move();
  return { coordination, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

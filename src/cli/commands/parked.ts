import { Command } from 'commander';
import type { Log } from '../../ports/log.ts';
import { exitCodes } from '../exit-codes.ts';
import { jsonText } from '../json-text.ts';
import { lineOf, openLineLog } from '../open-line.ts';
import { offsetOption, wholeOption } from '../options.ts';
import { type DeadRecord, deadRecordAt, deadRecords } from '../parked/dead-records.ts';
import { withOwnedLog } from '../parked/owned-log.ts';
import {
  type ParkedItem,
  parkedItem,
  parkedListText,
  parkedRecordJson,
  parkedRecordText,
  replayText,
} from '../parked/parked-text.ts';
import { replayTables } from '../parked/replay.ts';
import { letterPlaces, waitingLetters } from '../parked/waiting-letters.ts';
import type { ExitWith } from '../program.ts';
import { tableStatuses, tablesTopic } from '../status/table-store.ts';
import type { Terminal } from '../terminal.ts';

interface Options {
  readonly line: string;
  readonly json?: boolean;
  readonly table?: string;
  readonly partition?: number;
}

/** `umbus parked`: what could not be processed, and its replay. */
export function parkedCommand(terminal: Terminal, exitWith: ExitWith): Command {
  const parked = new Command('parked')
    .summary('what could not be processed: list, show, replay')
    .description(
      'Changes that cannot be processed are parked, with all later changes of their table, in <ds>_dead: raw bytes, position and error. The other tables go on. After a fix they are replayed in order.',
    )
    .requiredOption('--line <file>', 'data line file')
    .option('--json', 'as JSON, for scripts')
    .addHelpText(
      'after',
      `
Examples:
  $ umbus parked --line shop.yaml
  $ umbus parked --line shop.yaml list --table shop.orders
  $ umbus parked --line shop.yaml show 17
  $ umbus parked --line shop.yaml replay --table shop.orders`,
    );
  parked
    .command('list', { isDefault: true })
    .summary('dead letters, oldest first')
    .description(
      'Lists dead letters that are still kept, oldest first, and whether they wait or have been replayed.',
    )
    .option('--table <schema.table>', 'only this table')
    .action(async (_options: unknown, command: Command) =>
      list(command.optsWithGlobals<Options>(), terminal),
    );
  parked
    .command('show')
    .summary('everything about one dead letter')
    .description(
      'Shows one dead letter: the error, where it came from, the binlog position, and the first raw bytes.',
    )
    .argument('<offset>', 'as `list` gives it', offsetOption)
    .option('--partition <number>', 'partition of the dead-letter topic', wholeOption)
    .action(async (offset: bigint, _options: unknown, command: Command) =>
      show(offset, command.optsWithGlobals<Options>(), terminal),
    );
  parked
    .command('replay')
    .summary('process parked changes again')
    .description(
      'Decodes the dead letters of parked tables again, in order, and publishes them with the ids they would have had; the tables are then parked no more. When one of them still cannot be decoded, nothing of its table is written. Stop the line first: only the owner of the log can write.',
    )
    .option('--table <schema.table>', 'only this table; without it all that are parked')
    .addHelpText(
      'after',
      `
Exits with 0 when everything was replayed, 1 when a table stays parked, 5 when the line runs.

Examples:
  $ umbus parked --line shop.yaml replay
  $ umbus parked --line shop.yaml replay --table shop.orders`,
    )
    .action(async (_options: unknown, command: Command) =>
      replay(command.optsWithGlobals<Options>(), terminal, exitWith),
    );
  return parked;
}

async function list(options: Options, terminal: Terminal): Promise<void> {
  const line = lineOf(options.line, terminal);
  await using log = await openLineLog(line, 'reader');
  const stateOf = await letterStates(log, line.ds, options.table ?? null, terminal.stopping);
  const items: ParkedItem[] = [];
  for await (const dead of deadRecords(log, line.ds, options.table ?? null, terminal.stopping)) {
    items.push(parkedItem(dead, stateOf(dead)));
  }
  const paint = terminal.paint.bind(terminal);
  await terminal.report(options.json === true ? `${jsonText(items)}\n` : parkedListText(items, paint));
}

async function show(offset: bigint, options: Options, terminal: Terminal): Promise<void> {
  const line = lineOf(options.line, terminal);
  await using log = await openLineLog(line, 'reader');
  const dead = await deadRecordAt(log, line.ds, options.partition ?? 0, offset, terminal.stopping);
  const stateOf = await letterStates(log, line.ds, dead.letter.key, terminal.stopping);
  const item = parkedItem(dead, stateOf(dead));
  const paint = terminal.paint.bind(terminal);
  const text =
    options.json === true ? `${jsonText(parkedRecordJson(dead, item))}\n` : parkedRecordText(dead, paint);
  await terminal.report(text);
}

async function replay(options: Options, terminal: Terminal, exitWith: ExitWith): Promise<void> {
  const line = lineOf(options.line, terminal);
  const reports = await withOwnedLog(line, terminal.stopping, ({ log, around, signal }) =>
    replayTables(log, line, options.table ?? null, signal, around),
  );
  const paint = terminal.paint.bind(terminal);
  await terminal.report(options.json === true ? `${jsonText(reports)}\n` : replayText(reports, paint));
  if (terminal.stopping.aborted || reports.some(report => report.problem !== null))
    exitWith(exitCodes.failed);
}

/** Whether a dead letter waits for a replay; null for one that belongs to no table of the appender. */
async function letterStates(
  log: Log,
  ds: string,
  table: string | null,
  signal: AbortSignal,
): Promise<(dead: DeadRecord) => boolean | null> {
  const tables = await tableStatuses(log, tablesTopic(await log.topics(), ds), signal);
  const parked = new Map(tables.map(each => [each.table, each.parked?.events ?? 0]));
  const waiting = waitingLetters(await letterPlaces(log, ds, table, signal), parked);
  const places = new Set(waiting.map(({ partition, offset }) => `${partition}/${offset}`));
  return ({ place, record, letter }) =>
    parked.has(letter.key) ? places.has(`${place.partition}/${record.offset}`) : null;
}

import { Command } from 'commander';
import { latencyMicros, type StatMessage } from '../../change/stat-message.ts';
import type { Line } from '../../config/line.ts';
import { parseDuration } from '../../config/quantity.ts';
import { UmbusError } from '../../core/errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { type BeatBoard, BeatMemory } from '../heartbeat/beat-board.ts';
import { boardText } from '../heartbeat/board-text.ts';
import { BeatReader } from '../heartbeat/read-beats.ts';
import { jsonText } from '../json-text.ts';
import { lineOf, openLineLog } from '../open-line.ts';
import type { ExitWith } from '../program.ts';
import { plainText } from '../render/plain-text.ts';
import type { Terminal } from '../terminal.ts';

interface Options {
  readonly line: string;
  readonly once?: boolean;
  readonly json?: boolean;
  readonly late?: number;
}

const REDRAW_MS = 1_000;
/** The source has so long to say its time. */
const CLOCK_MS = 5_000;
/** Goes to the top and clears; the cursor is hidden while the board is shown. */
const HOME = '\u001b[H\u001b[J';
const BEGIN = '\u001b[?1049h\u001b[?25l';
const END = '\u001b[?25h\u001b[?1049l';

/** `umbus heartbeat`: how late each table and hop is, live. */
export function heartbeatCommand(terminal: Terminal, exitWith: ExitWith): Command {
  return new Command('heartbeat')
    .summary('how late each table and hop is, live')
    .description(
      'Shows the heartbeats of a line: for each hop and table the last latency, the median and the 99th percentile, how old the newest heartbeat is, and the rows since the one before. Also how long the source keeps what is not read. Reads beside the process that runs the line. Without a terminal it prints a line for each heartbeat that arrives.',
    )
    .requiredOption('--line <file>', 'data line file')
    .option('--once', 'as it is now, and end')
    .option('--json', 'as JSON, for scripts; with --once')
    .option(
      '--late <duration>',
      'a table is late when its newest heartbeat is older (default: three intervals)',
      lateOption,
    )
    .addHelpText(
      'after',
      `
With --once it exits with 0 when no table is late, 1 when one is, or when there are no
heartbeats, and 3 when the line file is not valid.

Examples:
  $ umbus heartbeat --line shop.yaml
  $ umbus heartbeat --line shop.yaml --once --json | jq '.tables[] | select(.late)'
  $ umbus heartbeat --line shop.yaml --late 1m`,
    )
    .action(async (options: Options) => {
      if (options.json === true && options.once !== true) {
        throw new UmbusError('UMBUS_USAGE', '--json goes with --once.');
      }
      const line = lineOf(options.line, terminal);
      await using log = await openLineLog(line, 'reader');
      const { systemClock } = await import('../../adapters/system-clock.ts');
      const memory = new BeatMemory(options.late ?? null);
      const reader = new BeatReader(log, line, memory);
      memory.sourceAhead(await sourceAhead(line, () => systemClock.now(), terminal.stopping));
      // By the clock of the line, which the stamps of its hops are of.
      const now = (): number => systemClock.now() - (memory.clockAheadMs ?? 0);
      await reader.read(0, terminal.stopping);
      if (options.once === true) {
        const board = await once(reader, memory, { ds: line.ds, now, json: options.json === true }, terminal);
        if (board.tables.length === 0 || board.tables.some(({ late }) => late)) exitWith(exitCodes.failed);
      } else if (terminal.columns === null) await lines(reader, terminal);
      else await live(reader, memory, line.ds, now, terminal);
    });
}

/** By how much the source's clock is ahead of ours, in microseconds. Null, and our clock is taken for the line's, where the log is on this machine as the line is, or the source does not answer. */
async function sourceAhead(line: Line, now: () => number, signal: AbortSignal): Promise<number | null> {
  if (line.log.kind === 'embedded') return null;
  const { sourceClock } = await import('../../adapters/mysql/index.ts');
  try {
    const answered = AbortSignal.any([signal, AbortSignal.timeout(CLOCK_MS)]);
    return (await sourceClock(line.source, now, answered))?.skewMicros ?? null;
  } catch {
    return null;
  }
}

async function once(
  reader: BeatReader,
  memory: BeatMemory,
  view: { readonly ds: string; readonly now: () => number; readonly json: boolean },
  terminal: Terminal,
): Promise<BeatBoard> {
  const nowMs = view.now();
  const board = memory.board(nowMs);
  const horizon = await reader.horizon();
  const { ds } = view;
  const paint = terminal.paint.bind(terminal);
  const json = { ds, at: new Date(nowMs).toISOString(), ...board, binlog: horizon };
  await terminal.report(
    view.json ? `${jsonText(json)}\n` : boardText(board, { ds, nowMs, horizon, paint, rows: null }),
  );
  return board;
}

/** Draws the board anew every second, in a screen of its own, so that what was there comes back. */
async function live(
  reader: BeatReader,
  memory: BeatMemory,
  ds: string,
  now: () => number,
  terminal: Terminal,
): Promise<void> {
  const { stopping } = terminal;
  const paint = terminal.paint.bind(terminal);
  await terminal.write(BEGIN);
  try {
    while (!stopping.aborted) {
      const nowMs = now();
      const horizon = await reader.horizon();
      const text = boardText(memory.board(nowMs), { ds, nowMs, horizon, paint, rows: terminal.rows });
      await terminal.report(`${HOME}${fitted(text, terminal.columns)}`);
      await untilNext(reader, now() + REDRAW_MS, now, stopping);
    }
  } finally {
    await terminal.write(END);
  }
}

/** Reads on until it is time to draw. */
async function untilNext(
  reader: BeatReader,
  end: number,
  now: () => number,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted && now() < end) await reader.read(Math.max(1, end - now()), signal);
}

/** Lines cut to the width of the screen, so that none takes two. Styles take no room. */
function fitted(text: string, columns: number | null): string {
  if (columns === null) return text;
  return text
    .split('\n')
    .map(line => cut(line, columns))
    .join('\n');
}

function cut(line: string, columns: number): string {
  let room = columns;
  let result = '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the sequences that styleText adds begin with ESC.
  for (const [part] of line.matchAll(/\u001b\[\d+m|./gsu)) {
    if (part.startsWith('\u001b')) result += part;
    else if (room > 0) {
      result += part;
      room -= 1;
    }
  }
  return result;
}

/** A line for each heartbeat that arrives at the end of its way. */
async function lines(reader: BeatReader, terminal: Terminal): Promise<void> {
  while (!terminal.stopping.aborted) {
    const arrived = await reader.read(REDRAW_MS, terminal.stopping);
    const text = arrived
      .filter(({ type }) => type === 'HEART_BEAT')
      .map(lineText)
      .join('');
    if (text !== '') await terminal.report(text);
  }
}

function lineText({ schemaName, tableName, localMS, count, payload }: StatMessage): string {
  const { beat, status, read } = payload;
  const ms = Math.max(0, latencyMicros(payload, read ?? 0)) / 1000;
  const at = new Date(localMS).toISOString();
  return `${at} ${plainText(`${schemaName}.${tableName}`)} beat=${beat} latencyMs=${ms.toFixed(1)} rows=${count} status=${status}\n`;
}

/** Errors: UMBUS_USAGE. */
function lateOption(text: string): number {
  const ms = parseDuration(text);
  if (ms !== null && ms > 0) return ms;
  throw new UmbusError('UMBUS_USAGE', 'The time given with --late must be a duration, such as 30s.');
}

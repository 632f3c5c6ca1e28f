import { Command } from 'commander';
import type { Line } from '../../config/line.ts';
import type { Clock } from '../../ports/clock.ts';
import { exitCodes } from '../exit-codes.ts';
import { jsonText } from '../json-text.ts';
import { lineOf, openLineLog } from '../open-line.ts';
import type { ExitWith } from '../program.ts';
import { askSource } from '../status/ask-source.ts';
import type { LineStatus, PullsStatus } from '../status/line-status.ts';
import { askPulls } from '../status/pull-status.ts';
import { type LogStatus, readLogStatus } from '../status/read-log.ts';
import { statusText } from '../status/status-text.ts';
import type { Terminal } from '../terminal.ts';

/** `umbus status`: positions, lag, counts and what is parked. */
export function statusCommand(terminal: Terminal, exitWith: ExitWith): Command {
  return new Command('status')
    .summary('positions, lag, counts, full pulls and what is parked')
    .description(
      'Says how far a data line has got: the position of the extractor and of the server, the lag between them, lags of the groups, counts of the tables, full pulls and what waits for them, what is parked, and the size of the log. Reads beside the process that runs the line; works when the server is down, and says so.',
    )
    .requiredOption('--line <file>', 'data line file')
    .option('--json', 'as JSON, for scripts')
    .addHelpText(
      'after',
      `
Exits with 0 when all is well (a lag is well), 1 when something is parked, 3 when the
line file is not valid, and 1 when its log cannot be read.

Examples:
  $ umbus status --line shop.yaml
  $ umbus status --line shop.yaml --json | jq .source.lagBytes
  $ watch umbus status --line shop.yaml`,
    )
    .action(async (options: { readonly line: string; readonly json?: boolean }) => {
      const line = lineOf(options.line, terminal);
      const { systemClock } = await import('../../adapters/system-clock.ts');
      const status = await lineStatus(line, systemClock, terminal.stopping);
      const paint = terminal.paint.bind(terminal);
      await terminal.report(options.json === true ? `${jsonText(status)}\n` : statusText(status, paint));
      if (status.attention) exitWith(exitCodes.failed);
    });
}

async function lineStatus(line: Line, clock: Clock, signal: AbortSignal): Promise<LineStatus> {
  await using log = await openLineLog(line, 'reader');
  const logStatus: LogStatus = await readLogStatus(log, line, signal);
  const source = await askSource(line, logStatus.extractor, clock, signal);
  const attention = logStatus.tables.some(table => table.parked !== null) || logStatus.dead.others > 0;
  // A line that never ran has none, and is not to be made by looking.
  const pulls: PullsStatus =
    logStatus.topics.length === 0 ? { known: true, open: [], failed: [] } : await askPulls(line, log, clock);
  return { ds: line.ds, at: new Date(clock.now()).toISOString(), ...logStatus, pulls, source, attention };
}

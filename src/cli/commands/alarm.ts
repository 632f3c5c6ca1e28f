import { hostname } from 'node:os';
import { Command } from 'commander';
import { systemClock } from '../../adapters/system-clock.ts';
import type { Line } from '../../config/line.ts';
import { isUmbusError, messageOf, UmbusError } from '../../core/errors.ts';
import type { Alarm, AlarmSink } from '../../ports/alarm.ts';
import { exitCodes } from '../exit-codes.ts';
import { jsonText } from '../json-text.ts';
import { lineAlarmSinks } from '../open-alarms.ts';
import { lineOf } from '../open-line.ts';
import type { ExitWith } from '../program.ts';
import { plainText } from '../render/plain-text.ts';
import { tableText } from '../table-text.ts';
import type { Terminal } from '../terminal.ts';

/** What a receiver said to the test. */
interface Tried {
  readonly sink: string;
  readonly ok: boolean;
  readonly code: string | null;
  readonly message: string | null;
}

/** `umbus alarm`: sends a test through every receiver of alarms. */
export function alarmCommand(terminal: Terminal, exitWith: ExitWith): Command {
  return new Command('alarm')
    .summary('send a test alarm to every receiver of a line')
    .description(
      'Sends one alarm, and right after it that it is over, to every webhook and mail address under `alarms` of the line file, and says who has taken it. Nothing is tried twice.',
    )
    .requiredOption('--line <file>', 'data line file')
    .option('--json', 'as JSON, for scripts')
    .addHelpText(
      'after',
      `
Exits with 0 when all have taken it, 1 when one has not.

Example:
  $ umbus alarm --line shop.yaml`,
    )
    .action(async (options: { readonly line: string; readonly json?: boolean }) => {
      const line = lineOf(options.line, terminal);
      const sinks = await lineAlarmSinks(line);
      if (sinks.length === 0) {
        throw new UmbusError(
          'UMBUS_USAGE',
          'The line has no receiver of alarms: name one under `alarms.webhooks` or `alarms.mail`.',
        );
      }
      const tried = await Promise.all(sinks.map(sink => triedOn(sink, line, terminal.stopping)));
      await terminal.report(options.json === true ? `${jsonText(tried)}\n` : triedText(tried));
      if (tried.some(({ ok }) => !ok)) exitWith(exitCodes.failed);
    });
}

async function triedOn(sink: AlarmSink, line: Line, signal: AbortSignal): Promise<Tried> {
  const atMs = systemClock.now();
  const alarm: Alarm = {
    id: `test:${line.ds}:${Math.floor(atMs)}`,
    line: line.ds,
    severity: 'info',
    state: 'raised',
    title: 'Test of the alarms',
    text: 'Somebody tests whether alarms of this line arrive. Nothing is wrong.',
    atMs,
    details: { host: hostname() },
  };
  try {
    await sink.send(alarm, signal);
    await sink.send({ ...alarm, state: 'recovered' }, signal);
    return { sink: sink.name, ok: true, code: null, message: null };
  } catch (error) {
    const code = isUmbusError(error) ? error.code : 'UMBUS_INTERNAL';
    return { sink: sink.name, ok: false, code, message: messageOf(error) };
  }
}

function triedText(tried: readonly Tried[]): string {
  const rows = tried.map(({ sink, ok, code, message }) => [
    sink,
    ok ? 'taken' : 'not taken',
    ok ? '' : plainText(`${code}: ${message}`),
  ]);
  return `${tableText([{ title: 'receiver' }, { title: '' }, { title: 'why' }], rows)}\n`;
}

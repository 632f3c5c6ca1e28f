import { Command } from 'commander';
import { FREE, isOver, type PullControl } from '../../adapters/pull/pull-cells.ts';
import { UmbusError } from '../../core/errors.ts';
import { jsonText } from '../json-text.ts';
import { lineOf } from '../open-line.ts';
import { openPulls } from '../pull/open-pulls.ts';
import { pullsText } from '../pull/pull-text.ts';
import type { Terminal } from '../terminal.ts';
import { concurrencyOf } from './pull.ts';

interface Options {
  readonly line: string;
  readonly json?: boolean;
  readonly pause?: string;
  readonly resume?: string;
  readonly cancel?: string;
  readonly throttle?: string;
  readonly rows?: string;
  readonly concurrency?: string;
}

/** `umbus pulls`: what full pulls there are and were, and how they are stopped. */
export function pullsCommand(terminal: Terminal): Command {
  return new Command('pulls')
    .summary('full pulls: how far they are, pause, resume, cancel, slow down')
    .description(
      'Lists the full pulls of a line, those that are over too, or says what is wanted of one of them.',
    )
    .requiredOption('--line <file>', 'data line file')
    .option('--json', 'as JSON, for scripts')
    .option('--pause <pull>', 'read no further shard of a pull until it is resumed')
    .option('--resume <pull>', 'let a paused pull go on')
    .option('--cancel <pull>', 'end a pull; what it published stays right')
    .option('--throttle <pull>', 'bound a pull, by --rows, --concurrency or both')
    .option('--rows <count>', 'most rows a second of each process, or none')
    .option('--concurrency <count>', 'most shards that each process reads of it at a time, or none')
    .addHelpText(
      'after',
      `
Examples:
  $ umbus pulls --line shop.yaml
  $ umbus pulls --line shop.yaml --pause 20260105-165016123
  $ umbus pulls --line shop.yaml --throttle 20260105-165016123 --rows 20000 --concurrency 2`,
    )
    .action(async (options: Options) => {
      const line = lineOf(options.line, terminal);
      const { systemClock } = await import('../../adapters/system-clock.ts');
      await using pulls = await openPulls(line, systemClock);
      const { cells } = pulls;
      const change = changeOf(options);
      if (change !== null) {
        const record = await cells.record(change.pull);
        if (record === null || isOver(record)) {
          throw new UmbusError('UMBUS_USAGE', `There is no pull ${change.pull} that is not over.`);
        }
        await cells.setControl(change.pull, {
          ...FREE,
          ...(await cells.control(change.pull)),
          ...change.control,
        });
      }
      const shown = [];
      for (const record of await cells.records()) {
        const { pull } = record.job;
        const [counts, burden] = [await cells.counts(pull), await cells.burden(pull)];
        shown.push({ record, counts, burden, control: await cells.control(pull) });
      }
      await terminal.report(
        options.json === true ? `${jsonText(shown)}\n` : pullsText(shown, systemClock.now()),
      );
    });
}

/** Errors: UMBUS_USAGE. */
function changeOf(
  options: Options,
): { readonly pull: string; readonly control: Partial<PullControl> } | null {
  const { pause, resume, cancel, throttle, rows, concurrency } = options;
  if (pause !== undefined) return { pull: pause, control: { state: 'pause' } };
  if (resume !== undefined) return { pull: resume, control: { state: 'run' } };
  if (cancel !== undefined) return { pull: cancel, control: { state: 'cancel' } };
  if (throttle === undefined) return null;
  if (rows === undefined && concurrency === undefined) {
    throw new UmbusError('UMBUS_USAGE', '--throttle needs --rows or --concurrency.');
  }
  const control = {
    ...(rows !== undefined && { rowsPerSecond: rows === 'none' ? null : rateOf(rows) }),
    ...(concurrency !== undefined && {
      concurrency: concurrency === 'none' ? null : concurrencyOf(concurrency),
    }),
  };
  return { pull: throttle, control };
}

/** Errors: UMBUS_USAGE. */
function rateOf(rows: string): number {
  const rowsPerSecond = Number(rows);
  if (Number.isFinite(rowsPerSecond) && rowsPerSecond > 0) return rowsPerSecond;
  throw new UmbusError('UMBUS_USAGE', '--throttle needs --rows: a number above 0, or none.');
}

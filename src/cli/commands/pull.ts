import { Command } from 'commander';
import { isOver, type PullCells } from '../../adapters/pull/pull-cells.ts';
import { columnNames, PULL_MODES, type PullJob, pullRequest } from '../../change/pull-job.ts';
import { UmbusError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import { parseCondition } from '../../sharding/condition.ts';
import { exitCodes } from '../exit-codes.ts';
import { lineOf } from '../open-line.ts';
import type { ExitWith } from '../program.ts';
import { followPulls } from '../pull/follow-pulls.ts';
import { openPulls } from '../pull/open-pulls.ts';
import { type NamedTable, pulledTables } from '../pull/pulled-tables.ts';
import type { Terminal } from '../terminal.ts';

interface Options {
  readonly line: string;
  readonly where?: string;
  readonly splitBy?: string;
  readonly columns?: string;
  readonly shardRows: string;
  readonly concurrency?: string;
  readonly mode: string;
  readonly to?: string;
  readonly wait: boolean;
}

/** What is the same for all tables of a request. */
type PullShape = Omit<PullJob, 'pull' | 'schema' | 'table' | 'askedMs'>;

/** `umbus pull`: loads tables into the stream while they change. */
export function pullCommand(terminal: Terminal, exitWith: ExitWith): Command {
  return new Command('pull')
    .summary('load whole tables into the result topics while they change')
    .description(
      'Asks the line to publish all rows of tables, between their changes: what reads the result topic in order then has exactly the source’s table. The processes that run the line do the work; it goes on when this command ends.',
    )
    .argument('<table...>', 'schema.table; * in the table stands for anything')
    .requiredOption('--line <file>', 'data line file')
    .option('--where <condition>', 'only rows that fit: one plain SQL expression over columns')
    .option('--columns <columns>', 'only these columns, divided by commas, and those of the key')
    .option('--split-by <columns>', 'columns to cut the table by, divided by commas; they begin an index')
    .option('--shard-rows <count>', 'rows of a shard', '100000')
    .option(
      '--mode <mode>',
      'watermark: rows between changes; blocking: changes wait until the pull is over; independent: rows go to the topic --to, and the stream goes on untouched',
      'watermark',
    )
    .option(
      '--concurrency <count>',
      'shards of a table that each process reads at a time; pull.concurrency of the line is the most, and the default',
    )
    .option(
      '--to <topic>',
      'of an independent pull: the topic that its rows go to, made when it is not there',
    )
    .option('--no-wait', 'ask for it, and do not wait for its end')
    .addHelpText(
      'after',
      `
Exits with 0 when all rows are published, with 1 when a pull was aborted.

Examples:
  $ umbus pull --line shop.yaml shop.orders
  $ umbus pull --line shop.yaml 'shop.*' --no-wait
  $ umbus pull --line shop.yaml shop.orders --where "created >= '2026-01-01'"`,
    )
    .action(async (wanted: readonly string[], options: Options) => {
      const line = lineOf(options.line, terminal);
      const { systemClock } = await import('../../adapters/system-clock.ts');
      const shape = shapeOf(options);
      const concurrency = concurrencyOf(options.concurrency);
      const tables = await pulledTables(line, wanted, terminal.stopping);
      await using pulls = await openPulls(line, systemClock);
      const jobs = await request(pulls.cells, tables, { shape, concurrency }, systemClock);
      if (!options.wait) {
        await terminal.report(
          jobs.map(({ pull, schema, table }) => `${pull}  ${schema}.${table}\n`).join(''),
        );
        return;
      }
      if (!(await followPulls(pulls, jobs, systemClock, terminal))) exitWith(exitCodes.failed);
    });
}

/** Errors: UMBUS_USAGE, UMBUS_PULL_CONDITION. */
function shapeOf(options: Options): PullShape {
  const shardRows = Number(options.shardRows);
  if (!Number.isSafeInteger(shardRows) || shardRows < 1) {
    throw new UmbusError('UMBUS_USAGE', '--shard-rows takes a whole number from 1 on.');
  }
  const condition = options.where === undefined ? null : parseCondition(options.where);
  const splitBy = columnNames(options.splitBy ?? '');
  const mode = PULL_MODES.find(each => each === options.mode);
  if (mode === undefined) throw new UmbusError('UMBUS_USAGE', `--mode is one of ${PULL_MODES.join(', ')}.`);
  const to = options.to ?? null;
  if ((mode === 'independent') !== (to !== null)) {
    throw new UmbusError('UMBUS_USAGE', '--to and --mode independent belong together.');
  }
  return { condition, mode, to, splitBy, columns: columnNames(options.columns ?? ''), shardRows };
}

/** What `--concurrency` says; null: nothing. Errors: UMBUS_USAGE. */
export function concurrencyOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const concurrency = Number(text);
  if (Number.isSafeInteger(concurrency) && concurrency >= 1) return concurrency;
  throw new UmbusError('UMBUS_USAGE', '--concurrency takes a whole number from 1 on.');
}

async function request(
  cells: PullCells,
  tables: readonly NamedTable[],
  { shape, concurrency }: { readonly shape: PullShape; readonly concurrency: number | null },
  clock: Clock,
): Promise<readonly PullJob[]> {
  const open = (await cells.records()).filter(record => !isOver(record));
  const jobs: PullJob[] = [];
  for (const [i, { schema, table }] of tables.entries()) {
    const running = open.find(({ job }) => isSame(job, schema, table));
    if (running !== undefined && shape.mode !== 'independent') {
      throw new UmbusError(
        'UMBUS_PULL_RUNNING',
        `The table ${schema}.${table} is being pulled already, as ${running.job.pull}.`,
        { details: { table: `${schema}.${table}`, pull: running.job.pull } },
      );
    }
    const askedMs = Math.round(clock.now()) + i;
    const stamp = new Date(askedMs).toISOString().replaceAll(/[-:.]/g, '').replace('Z', '').replace('T', '-');
    jobs.push({ pull: stamp, schema, table, ...shape, askedMs });
  }
  for (const job of jobs) {
    await cells.change(job, {});
    if (concurrency !== null) await cells.setControl(job.pull, { concurrency });
    await cells.request(job.pull, pullRequest(job));
  }
  return jobs;
}

/** Whether a pull is one of the table, into the stream. */
function isSame({ schema, table, mode }: PullJob, otherSchema: string, otherTable: string): boolean {
  return schema === otherSchema && table === otherTable && mode !== 'independent';
}

import { Command } from 'commander';
import type { PullCells } from '../../adapters/pull/pull-cells.ts';
import { columnNames, type PullJob, pullRequest } from '../../change/pull-job.ts';
import { UmbusError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import { parseCondition } from '../../sharding/condition.ts';
import { exitCodes } from '../exit-codes.ts';
import { lineOf } from '../open-line.ts';
import type { ExitWith } from '../program.ts';
import { openPulls } from '../pull/open-pulls.ts';
import { isOver, progressText } from '../pull/pull-text.ts';
import { type NamedTable, pulledTables } from '../pull/pulled-tables.ts';
import type { Terminal } from '../terminal.ts';

interface Options {
  readonly line: string;
  readonly where?: string;
  readonly splitBy?: string;
  readonly columns?: string;
  readonly shardRows: string;
  readonly wait: boolean;
}

/** What is the same for all tables of a request. */
type PullShape = Omit<PullJob, 'pull' | 'schema' | 'table' | 'askedMs'>;

const LOOK_MS = 500;
const TELL_MS = 2000;

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
      const tables = await pulledTables(line, wanted, terminal.stopping);
      await using pulls = await openPulls(line, systemClock);
      const jobs = await request(pulls.cells, tables, shape, systemClock);
      if (!options.wait) {
        await terminal.report(
          jobs.map(({ pull, schema, table }) => `${pull}  ${schema}.${table}\n`).join(''),
        );
        return;
      }
      if (!(await untilOver(pulls.cells, jobs, systemClock, terminal))) exitWith(exitCodes.failed);
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
  return { condition, splitBy, columns: columnNames(options.columns ?? ''), shardRows };
}

async function request(
  cells: PullCells,
  tables: readonly NamedTable[],
  shape: PullShape,
  clock: Clock,
): Promise<readonly PullJob[]> {
  const open = (await cells.records()).filter(record => !isOver(record));
  const jobs: PullJob[] = [];
  for (const [i, { schema, table }] of tables.entries()) {
    const running = open.find(({ job }) => job.schema === schema && job.table === table);
    if (running !== undefined) {
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
    await cells.request(job.pull, pullRequest(job));
  }
  return jobs;
}

/** Tells how pulls go until they are over, or this command is stopped; whether none was aborted. */
async function untilOver(
  cells: PullCells,
  jobs: readonly PullJob[],
  clock: Clock,
  terminal: Terminal,
): Promise<boolean> {
  const told = new Map<string, { readonly text: string; readonly atMs: number }>();
  for (;;) {
    let open = 0;
    let failed = 0;
    for (const { pull } of jobs) {
      const record = await cells.record(pull);
      if (record === null) continue;
      const over = isOver(record);
      if (!over) open++;
      if (record.status === 'abort') failed++;
      const nowMs = clock.now();
      const text = progressText(record, await cells.counts(pull), nowMs);
      const before = told.get(pull);
      if (before?.text === text || (!over && before !== undefined && nowMs - before.atMs < TELL_MS)) continue;
      told.set(pull, { text, atMs: nowMs });
      await terminal.report(`${text}\n`);
    }
    if (open === 0) return failed === 0;
    if (terminal.stopping.aborted) {
      terminal.tell('The pull goes on without this command: umbus pulls shows it.');
      return true;
    }
    await clock.sleep(LOOK_MS, terminal.stopping);
  }
}

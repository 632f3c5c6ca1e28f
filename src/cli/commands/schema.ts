import { Command } from 'commander';
import { fileNumberOf } from '../../binlog/rotate.ts';
import { diffSchemas } from '../../change/schema-diff.ts';
import type { Line } from '../../config/line.ts';
import { type SchemaNotice, schemaAsOf, type TableSchema } from '../../consumer/index.ts';
import { errorTable, UmbusError } from '../../core/errors.ts';
import { umsIdOf, umsUidOf } from '../../ums/ids.ts';
import { jsonText } from '../json-text.ts';
import { lineOf, openLineLog } from '../open-line.ts';
import type { ExitWith } from '../program.ts';
import { schemaHistory } from '../schema/schema-history.ts';
import { columnsText, diffText, historyText, type TableHistory, tablesText } from '../schema/schema-text.ts';
import { tableStatuses, tablesTopic } from '../status/table-store.ts';
import type { Terminal } from '../terminal.ts';
import { schemaResolveCommand } from './schema-resolve.ts';

/** By code; of a code of another version there is none. */
const remedies: Readonly<Record<string, { readonly remedy: string }>> = errorTable;

interface Options {
  readonly line: string;
  readonly json?: boolean;
  readonly at?: string;
  readonly diff?: readonly string[];
}

/** `umbus schema`: the columns of tables, what they were, and what changed them. */
export function schemaCommand(terminal: Terminal, exitWith: ExitWith): Command {
  const schema = new Command('schema')
    .summary('columns of tables, their versions and what changed them')
    .description(
      'Shows what <ds>_schema has kept of each table: its versions, when each began and by what statement, what is different between two, and the columns as of a place in the binlog. Tables that are parked are shown with the reason; `resolve` says which columns one had. All else reads beside the process that runs the line.',
    )
    .requiredOption('--line <file>', 'data line file')
    .option('--json', 'as JSON, for scripts')
    .addHelpText(
      'after',
      `
Examples:
  $ umbus schema --line shop.yaml
  $ umbus schema --line shop.yaml show shop.orders
  $ umbus schema --line shop.yaml show shop.orders --diff 3 4
  $ umbus schema --line shop.yaml show shop.orders --at binlog.000103:12345
  $ umbus schema --line shop.yaml resolve shop.orders`,
    );
  schema
    .command('show', { isDefault: true })
    .summary('all tables, or one with its history')
    .argument('[table]', 'schema.table')
    .option('--at <file:position>', 'the columns as of a place in the binlog of the newest epoch')
    .option('--diff <inner...>', 'what is different between two inner versions')
    .action(async (table: string | undefined, _options: unknown, command: Command) =>
      show(table ?? null, command.optsWithGlobals<Options>(), terminal),
    );
  schema.addCommand(schemaResolveCommand(terminal, exitWith));
  return schema;
}

async function show(table: string | null, options: Options, terminal: Terminal): Promise<void> {
  const line = lineOf(options.line, terminal);
  const tables = await histories(line, terminal.stopping);
  const print = (json: unknown, text: string): Promise<void> =>
    terminal.report(options.json === true ? `${jsonText(json)}\n` : text);
  if (table === null) {
    if (options.at !== undefined || options.diff !== undefined) {
      throw new UmbusError('UMBUS_USAGE', '--at and --diff need the name of a table.');
    }
    await print(tables, tablesText(tables));
    return;
  }
  const found = tables.find(each => each.table === table);
  if (found === undefined) {
    throw new UmbusError(
      'UMBUS_USAGE',
      `Nothing is known of a table ${table}: it has had no row on this line.`,
    );
  }
  if (options.diff !== undefined) {
    const diff = diffOf(found, options.diff);
    await print(diff, diffText(diff));
  } else if (options.at !== undefined) {
    const schema = schemaAsOf(found.notices, uidAt(options.at, found.notices));
    await print(schema, columnsText(schema));
  } else {
    const remedy = found.parked === null ? null : (remedies[found.parked.code]?.remedy ?? null);
    await print(found, historyText(found, remedy));
  }
}

async function histories(line: Line, signal: AbortSignal): Promise<readonly TableHistory[]> {
  await using log = await openLineLog(line, 'reader');
  const notices = await schemaHistory(log, line.ds, signal);
  const statuses = await tableStatuses(log, tablesTopic(await log.topics(), line.ds), signal);
  const parked = new Map(statuses.map(status => [status.table, status.parked]));
  return [...new Set([...notices.keys(), ...statuses.map(({ table }) => table)])]
    .toSorted()
    .map(table => ({ table, notices: notices.get(table) ?? [], parked: parked.get(table) ?? null }));
}

function diffOf({ notices, table }: TableHistory, versions: readonly string[]) {
  const [before, after, ...more] = versions;
  if (before === undefined || after === undefined || more.length > 0) {
    throw new UmbusError('UMBUS_USAGE', '--diff takes two inner versions, such as --diff 3 4.');
  }
  return diffSchemas(columnsOf(notices, before, table), columnsOf(notices, after, table));
}

function columnsOf(notices: readonly SchemaNotice[], inner: string, table: string): TableSchema {
  const found = notices.find(({ innerVersion, after }) => String(innerVersion) === inner && after !== null);
  if (found?.after != null) return found.after;
  const known = [...new Set(notices.map(({ innerVersion }) => innerVersion))].filter(each => each >= 0);
  throw new UmbusError(
    'UMBUS_USAGE',
    `The table ${table} has no inner version ${inner}; it has ${known.join(', ') || 'none'}.`,
  );
}

/** Rows before a place have a lower `ums_uid_`, those from there on have not. */
function uidAt(at: string, notices: readonly SchemaNotice[]): string {
  const [, file, position] = /^(.+):(\d{1,15})$/.exec(at) ?? [];
  if (file === undefined || position === undefined || !/\d+$/.test(file)) {
    throw new UmbusError(
      'UMBUS_USAGE',
      '--at takes a binlog file and a position, such as binlog.000103:12345.',
    );
  }
  const epoch = notices.at(-1)?.from.epoch ?? 1;
  return umsUidOf(epoch, umsIdOf(fileNumberOf(file), Number(position)), 0);
}

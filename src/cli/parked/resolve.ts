import type { TableColumns } from '../../columns/table-columns.ts';
import type { Line } from '../../config/line.ts';
import { errorTable, UmbusError } from '../../core/errors.ts';
import type { Log } from '../../ports/log.ts';
import { tablesStore } from '../../stages/append.ts';
import { type GivenColumns, unknownColumns, withGiven } from '../../stages/append-given.ts';
import { schemasTopic, tablesTopic } from '../status/table-store.ts';
import type { OwnedLog } from './owned-log.ts';
import { checkColumns, type ParkedGroup, parkedGroups } from './parked-groups.ts';
import { type ParkedTable, parkedTables, replayWriterOf, storedRecord } from './parked-tables.ts';
import { type ReplayAround, type ReplayReport, replayTables } from './replay.ts';

/** What is to be said of a table before it can go on. */
export interface ResolvePlan {
  readonly name: string;
  /** Rows whose columns are to be given now. */
  readonly group: ParkedGroup;
  /** Those whose columns are to be given after that, in order. */
  readonly left: readonly ParkedGroup[];
}

/** What became of it. */
export interface ResolveReport {
  readonly table: string;
  readonly since: string;
  /** Null while columns of later rows are to be given: the columns are remembered, and the table stays parked. */
  readonly replay: ReplayReport | null;
  /** `since` of the rows that are left, in order. */
  readonly left: readonly string[];
}

interface Found extends ResolvePlan {
  readonly parked: ParkedTable;
  readonly changelog: string;
}

/**
 * Finds the first rows of a parked table whose columns are not known. Reads only. Errors: UMBUS_USAGE for a table that is not parked, UMBUS_COLUMNS_REFUSED for one that is parked
 * for another reason, and those of {@link parkedGroups}.
 */
export async function resolvePlan(
  log: Log,
  line: Line,
  name: string,
  registered: ReplayAround['registered'],
  signal: AbortSignal,
): Promise<ResolvePlan> {
  return await find(log, line, name, registered, signal);
}

/**
 * Gives the columns of the rows that `planned` names. When no others are left, the table is replayed with them, and they are kept in the same commit as its state; otherwise they are
 * only kept. A replay that fails keeps nothing. Errors: those of {@link resolvePlan}; UMBUS_COLUMNS_REFUSED when the columns do not fit, or when other rows come first meanwhile.
 */
export async function resolveTable(
  { log, around, signal }: OwnedLog,
  line: Line,
  planned: ResolvePlan,
  columns: TableColumns,
): Promise<ResolveReport> {
  const { name } = planned;
  const found = await find(log, line, name, around.registered, signal);
  const { epoch, since } = found.group;
  if (epoch !== planned.group.epoch || since !== planned.group.since) {
    throw refused(name, `Of ${name}, rows from ${since} on are to be resolved first by now.`);
  }
  checkColumns(found.group, columns);
  const given: GivenColumns = { epoch, since, columns };
  const [next] = found.left;
  if (next !== undefined) {
    await remember(log, line, found, given, next);
    return { table: name, since, replay: null, left: found.left.map(group => group.since) };
  }
  const [replay] = await replayTables(log, line, name, signal, { ...around, given });
  signal.throwIfAborted();
  return { table: name, since, replay: replay ?? null, left: [] };
}

async function find(
  log: Log,
  line: Line,
  name: string,
  registered: ReplayAround['registered'],
  signal: AbortSignal,
): Promise<Found> {
  const topics = await log.topics();
  const changelog = tablesTopic(topics, line.ds);
  const tables = await parkedTables(log, changelog, schemasTopic(topics, line.ds), signal);
  const parked = tables.find(table => table.name === name);
  if (changelog === null || parked?.state.parked == null) {
    const names = tables.map(table => table.name).join(', ') || 'none';
    throw new UmbusError('UMBUS_USAGE', `The table ${name} is not parked. Parked tables: ${names}.`);
  }
  const { code, message } = parked.state.parked;
  if (code !== 'UMBUS_BINLOG_COLUMNS') {
    const { remedy } = errorTable[code];
    throw refused(
      name,
      `${name} is parked for another reason than its columns: ${code}: ${message} ${remedy}`,
    );
  }
  const [group, ...left] = await parkedGroups(log, line.ds, parked, registered, signal);
  if (group !== undefined) return { name, group, left, parked, changelog: changelog.name };
  throw refused(
    name,
    `All columns of ${name} are known or given: \`umbus parked replay --table ${name}\` tries again, and says what is wrong.`,
  );
}

/** Keeps the columns in the state of the table, which stays parked for the next rows. */
async function remember(
  log: Log,
  line: Line,
  { name, parked, changelog }: Found,
  given: GivenColumns,
  next: ParkedGroup,
): Promise<void> {
  const { state } = parked;
  const { message } = unknownColumns(next, next);
  const after = {
    ...state,
    given: withGiven(state.given, given),
    parked: state.parked === null ? null : { ...state.parked, message },
  };
  await using writer = await log.openWriter(replayWriterOf(line.ds));
  await writer.append([
    storedRecord(parked, changelog, tablesStore.key.encode(name), tablesStore.value.encode(after)),
  ]);
}

function refused(table: string, message: string): UmbusError {
  return new UmbusError('UMBUS_COLUMNS_REFUSED', message, { details: { table } });
}

import { Buffer } from 'node:buffer';
import { parseTableMap } from '../../binlog/table-map.ts';
import type { TableMap } from '../../binlog/table-map-types.ts';
import { decodeRawRun, type RawTable } from '../../change/raw-run.ts';
import { fitTableMap } from '../../columns/fit-table-map.ts';
import type { TableColumns, UnknownColumns } from '../../columns/table-columns.ts';
import { assert } from '../../core/assert.ts';
import { isUmbusError, UmbusError } from '../../core/errors.ts';
import type { Log } from '../../ports/log.ts';
import { GIVEN_MAX, givenFor, unknownOf } from '../../stages/append-given.ts';
import { deadRecordAt } from './dead-records.ts';
import { letterRun } from './letter-run.ts';
import type { ParkedTable } from './parked-tables.ts';
import type { ReplayAround } from './replay.ts';
import { waitingLettersOf } from './waiting-letters.ts';

/** Parked rows of a table that came while its columns were the same, and are not known. */
export interface ParkedGroup extends UnknownColumns {
  readonly epoch: number;
  readonly schema: string;
  readonly table: string;
  /** The table maps of these rows, each once, in order. At least one. */
  readonly maps: readonly TableMap[];
}

/**
 * The rows of a parked table whose columns are not known, and were not given or do not fit as given, in the order of the binlog. Errors: those of `waitingLettersOf` and
 * `letterRun`; UMBUS_COLUMNS_REFUSED for more of them than can be given.
 */
export async function parkedGroups(
  log: Log,
  ds: string,
  { name, state }: ParkedTable,
  registered: ReplayAround['registered'],
  signal: AbortSignal,
): Promise<readonly ParkedGroup[]> {
  assert(state.parked !== null, `The table ${name} is not parked.`);
  const letters = await waitingLettersOf(log, ds, name, state.parked.events, signal);
  const found = new Map<string, { readonly group: Omit<ParkedGroup, 'maps'>; readonly maps: MapsOnce }>();
  const decode = registered?.rawRuns.decode ?? decodeRawRun;
  for (const { partition, offset } of letters) {
    signal.throwIfAborted();
    const run = await letterRun(log, await deadRecordAt(log, ds, partition, offset, signal), decode, signal);
    for (const table of run.tables) {
      if (table.table === '' || `${table.schema}.${table.table}` !== name) continue;
      const unknown = unknownOf(table);
      if (unknown === null) continue;
      const key = `${run.epoch} ${unknown.since}`;
      const known = found.get(key) ?? {
        group: { ...unknown, epoch: run.epoch, schema: table.schema, table: table.table },
        maps: new MapsOnce(),
      };
      known.maps.add(table, givenFor(table, state.given, run.epoch)?.columns ?? null);
      found.set(key, known);
      if (found.size > GIVEN_MAX) throw tooMany(name);
    }
  }
  return [...found.values()]
    .filter(({ maps }) => !maps.fitted)
    .map(({ group, maps }) => ({ ...group, maps: maps.all }));
}

/** Checks columns against all table maps of such rows. Errors: UMBUS_COLUMNS_REFUSED, which says the first that does not fit. */
export function checkColumns({ schema, table, since, maps }: ParkedGroup, columns: TableColumns): void {
  for (const map of maps) {
    const problem = misfit(map, columns);
    if (problem === null) continue;
    throw new UmbusError(
      'UMBUS_COLUMNS_REFUSED',
      `These are not the columns that ${schema}.${table} had from ${since} on. ${problem}`,
      { details: { table: `${schema}.${table}`, since } },
    );
  }
}

class MapsOnce {
  readonly all: TableMap[] = [];
  readonly #seen = new Set<string>();
  /** Whether columns were given before that fit all of them. */
  fitted = true;

  add({ fingerprint, map: body }: RawTable, given: TableColumns | null): void {
    const key = Buffer.from(fingerprint).toString('hex');
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    const map = parseTableMap(body);
    this.all.push(map);
    if (given === null || misfit(map, given) !== null) this.fitted = false;
  }
}

/** Why columns do not fit a table map, as a sentence; null when they do. */
function misfit(map: TableMap, columns: TableColumns): string | null {
  try {
    fitTableMap(map, columns);
    return null;
  } catch (error) {
    if (isUmbusError(error, 'UMBUS_BINLOG_COLUMNS')) return error.message;
    throw error;
  }
}

function tooMany(name: string): UmbusError {
  return new UmbusError(
    'UMBUS_COLUMNS_REFUSED',
    `The columns of ${name} have changed more than ${GIVEN_MAX} times since it was parked. Load the table again.`,
    { details: { table: name } },
  );
}

import { PAGE_KIND, type PageHead } from '../change/pull-page.ts';
import { failureOf, type PullFailure } from '../change/pull-signal.ts';
import type { RawRun } from '../change/raw-run.ts';
import { UmbusError } from '../core/errors.ts';
import { viewOf } from '../ums/tuple-buffer.ts';
import type { DecoderCache, TableDecoder } from './append-decoders.ts';
import { writePage } from './append-page-rows.ts';
import type { PullDesk } from './append-pull.ts';
import type { RunContext } from './append-run.ts';
import type { AppendShared } from './append-shared.ts';
import { NEW_TABLE, sameVersion } from './append-state.ts';
import { TablePart } from './append-table.ts';
import { endedWhileHeld, parked } from './pull-failures.ts';
import { type PullState, type PullWindow, placeText } from './pull-state.ts';

/** As `appendRun`, for a page. A page of a table that is not published is left out. */
export function appendPageRun(
  run: RawRun,
  head: PageHead,
  { shared, decoders, stateOf, columnsOf, wanted }: RunContext,
): ReadonlyMap<string, TablePart> {
  const parts = new Map<string, TablePart>();
  if (shared.pulls === null) return parts;
  appendPage(run, head, shared, shared.pulls, decoders, (schema, table, { epoch, fileNumber }) => {
    if (!wanted(schema, table)) return null;
    const key = `${schema}.${table}`;
    const before = { state: stateOf(key) ?? NEW_TABLE, columns: columnsOf(key) };
    const source = { epoch, file: '', fileNumber };
    const part = new TablePart({ schema, table }, before, { ...shared, source });
    parts.set(key, part);
    return part;
  });
  return parts;
}

/**
 * Publishes the rows of a page whose window is open, but those whose key changed since its low watermark: what is published is then what the stream has left of these rows, at
 * this place. A page of another window is left out. Errors: none for what the rows hold: the pull is aborted, and what it published stays right.
 */
function appendPage(
  run: RawRun,
  head: PageHead,
  shared: AppendShared,
  desk: PullDesk,
  decoders: DecoderCache,
  partOf: (schema: string, table: string, low: PullWindow['low']) => TablePart | null,
): void {
  const [table] = run.tables;
  if (run.kind !== PAGE_KIND || table === undefined) {
    throw new UmbusError('UMBUS_TOPOLOGY_DECODE', 'The page of a pull has no table.');
  }
  const key = `${table.schema}.${table.table}`;
  const state = desk.stateOf(key);
  const window = state?.windows.find(({ token }) => token === head.token);
  if (state === undefined || window === undefined || !window.high || window.page !== head.page) return;
  const part = partOf(table.schema, table.table, window.low);
  if (part === null) return;
  let decoder: TableDecoder;
  try {
    decoder = decoders.ofPage(table);
    const failure = obstacle(key, state, decoder, part);
    if (failure !== null) {
      desk.abort(key, part, window.low, failure);
      return;
    }
    if (part.version !== window.version) {
      desk.windows.void(key, window.token, 'the table was emptied while it was read');
      return;
    }
    desk.holding.past(() => publish(run, head, shared, { key, state, window, part, decoder, desk }));
  } catch (error) {
    // A row in a page that was taken in part is taken back; the pull is what fails, not the table's stream.
    desk.abort(key, part, window.low, failureOf(error));
  }
}

/** Why the pull of a table cannot go on with these columns; null: it can. */
function obstacle(key: string, state: PullState, decoder: TableDecoder, part: TablePart): PullFailure | null {
  if (part.isParked) return parked(key);
  if (decoder.writer.primaryKey.length === 0 && state.hold !== 'rows') {
    return {
      code: 'UMBUS_PULL_TABLE',
      message: `The table ${key} has no primary key, so its rows cannot be told from each other.`,
    };
  }
  if (state.columns !== null && !sameVersion(state.columns, decoder.columns)) {
    return { code: 'UMBUS_PULL_CHANGED', message: `The columns of ${key} changed while it was pulled.` };
  }
  const { held } = state;
  if (held !== null && (part.version !== held.version || (held.count > 0 && part.endsWith(decoder)))) {
    return endedWhileHeld(key);
  }
  if (state.keyedBy !== null && state.keyedBy !== decoder.keyedBy) {
    return {
      code: 'UMBUS_PULL_CHANGED',
      message: `The primary key of ${key}, or a mask on it, changed while it was pulled.`,
    };
  }
  return null;
}

function publish(
  run: RawRun,
  { next, partial }: PageHead,
  shared: AppendShared,
  work: {
    readonly key: string;
    readonly state: PullState;
    readonly window: PullWindow;
    readonly part: TablePart;
    readonly decoder: TableDecoder;
    readonly desk: PullDesk;
  },
): void {
  const { key, state, window, part, decoder, desk } = work;
  const { low } = window;
  const at = placeText(low);
  if (state.columns === null) desk.hasColumns(key, decoder.columns);
  desk.keyed(key, decoder.keyedBy);
  part.use(decoder, { bytes: run.events, view: viewOf(run.events), start: 0, end: 0, type: 0, ...low });
  const keeps = desk.windows.hasChanged(key)
    ? (text: string): boolean => desk.windows.keeps(key, text, at)
    : null;
  const rows = part.pulled(target =>
    writePage(run.events, partial === true, decoder, low, target, shared, keeps),
  );
  // The first page may have begun a version, for columns that no row of the stream has shown yet.
  if (part.version !== window.version) desk.windows.reversion(key, part.version);
  desk.paged(key, { ...window, version: part.version }, next, rows, part, low);
}

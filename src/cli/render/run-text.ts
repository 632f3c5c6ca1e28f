import { PAGE_KIND } from '../../change/pull-page.ts';
import { decodeRawRun, type RawRun } from '../../change/raw-run.ts';
import { formatSize } from '../../config/quantity.ts';
import { isUmbusError } from '../../core/errors.ts';
import { scanEvents } from '../raw-events.ts';
import { plainText } from './plain-text.ts';

const TABLES_SHOWN = 8;

/** What a raw run says of itself, without a look into its rows. */
export interface RunSummary {
  readonly file: string;
  readonly position: number;
  readonly next: number;
  readonly epoch: number;
  readonly events: number;
  readonly bytes: number;
  /** `schema.table`, each once; `schema` alone for statements. */
  readonly tables: readonly string[];
  /** Row events of tables not subscribed that were left out. */
  readonly filtered: number;
  readonly resume: RawRun['resume'];
  readonly server: string;
  /** Microseconds since 1970-01-01 UTC. */
  readonly captured: number;
}

/** The run in a record value; null when it is something else. */
export function rawRunOf(value: Uint8Array): RawRun | null {
  if (value[0] !== 0) return null;
  try {
    return decodeRawRun(value);
  } catch (error) {
    if (isUmbusError(error, 'UMBUS_TOPOLOGY_DECODE')) return null;
    throw error;
  }
}

/** Summary of a run. */
export function summaryOf(run: RawRun): RunSummary {
  const { file, position, next, epoch, filtered, resume, server, captured } = run;
  const names = run.tables.map(({ schema, table }) => (table === '' ? schema : `${schema}.${table}`));
  const tables = [...new Set(names)];
  return {
    file,
    position,
    next,
    epoch,
    events: run.kind === PAGE_KIND ? 0 : scanEvents(run.events).count,
    bytes: run.events.length,
    tables,
    filtered,
    resume,
    server,
    captured,
  };
}

/** One line: `binlog.000003:4711..9000  12 events  3.4 KB  shop.orders, shop.items`. */
export function runText(run: RawRun): string {
  const { file, position, next, events, bytes, tables, filtered } = summaryOf(run);
  const shown = tables.slice(0, TABLES_SHOWN).join(', ');
  const more = tables.length > TABLES_SHOWN ? `, and ${tables.length - TABLES_SHOWN} more` : '';
  const left = filtered === 0 ? '' : `  (${filtered} filtered)`;
  if (run.kind === PAGE_KIND) return plainText(`page of a full pull  ${formatSize(bytes)}  ${shown}`);
  const what = tables.length === 0 ? 'no subscribed table' : shown + more;
  return plainText(
    `${file}:${position}..${next}  ${events} event${events === 1 ? '' : 's'}  ${formatSize(bytes)}  ${what}${left}`,
  );
}

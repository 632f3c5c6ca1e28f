import { type Gathered, gathered } from '../../ports/metrics.ts';
import type { TableState } from '../../stages/append.ts';
import { tableMetrics as metrics } from '../../telemetry/metrics/line-metrics.ts';

/** Stands for the tables beyond the bound. */
export const OTHER_TABLES = '(others)';

const ops = ['insert', 'update', 'delete'] as const;

interface Counted {
  rows: Record<(typeof ops)[number], number>;
  messages: number;
  marks: number;
  pulled: number;
  parkedEvents: number;
}

/** Tables with their states, as the appender's store gives them. */
type Tables = Iterable<readonly [table: string, state: TableState]>;

/**
 * Makes values of metrics of what the appender counts of its tables. The `maxTables` tables that came first have values of their own as long as the process lives, the others
 * are added up: so the number of values is bounded, and no counter falls because another table has grown.
 */
export function tableSampler(maxTables: number): (tables: Tables) => Iterable<Gathered> {
  const named = new Set<string>();
  return tables => {
    const all = [...tables];
    for (const [table] of all) if (named.size < maxTables) named.add(table);
    return tableSamples(all, named);
  };
}

function* tableSamples(all: readonly (readonly [string, TableState])[], named: ReadonlySet<string>) {
  if (all.length === 0) return;
  const parked = all.filter(([, state]) => state.parked !== null).length;
  yield gathered(metrics.tables, { state: 'published' }, all.length - parked);
  yield gathered(metrics.tables, { state: 'parked' }, parked);
  const total = sumOf(all.map(([, state]) => state));
  for (const op of ops) yield gathered(metrics.allRows, { op }, total.rows[op]);
  for (const [table, state] of all) {
    if (!named.has(table)) continue;
    yield* countSamples(table, sumOf([state]));
    yield gathered(metrics.version, { table }, state.version);
  }
  const others = all.filter(([table]) => !named.has(table)).map(([, state]) => state);
  if (others.length > 0) yield* countSamples(OTHER_TABLES, sumOf(others));
}

function* countSamples(
  table: string,
  { rows, messages, marks, pulled, parkedEvents }: Counted,
): Generator<Gathered> {
  for (const op of ops) yield gathered(metrics.rows, { table, op }, rows[op]);
  yield gathered(metrics.messages, { table }, messages);
  yield gathered(metrics.marks, { table }, marks);
  yield gathered(metrics.pulledRows, { table }, pulled);
  yield gathered(metrics.parkedEvents, { table }, parkedEvents);
}

function sumOf(states: readonly TableState[]): Counted {
  const sum: Counted = {
    rows: { insert: 0, update: 0, delete: 0 },
    messages: 0,
    marks: 0,
    pulled: 0,
    parkedEvents: 0,
  };
  for (const { inserts, updates, deletes, messages, marks = 0, pulled = 0, parked } of states) {
    sum.rows.insert += inserts;
    sum.rows.update += updates;
    sum.rows.delete += deletes;
    sum.messages += messages;
    sum.marks += marks;
    sum.pulled += pulled;
    sum.parkedEvents += parked?.events ?? 0;
  }
  return sum;
}

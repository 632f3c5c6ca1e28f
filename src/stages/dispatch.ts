import { Buffer } from 'node:buffer';
import { eventStart } from '../binlog/position.ts';
import { eventsBuffer, type RawRun, type RawTable, spansFit } from '../change/raw-run.ts';
import type { StatMessage } from '../change/stat-message.ts';
import { UmbusError } from '../core/errors.ts';
import { murmur2 } from '../core/murmur2.ts';
import type { Processor } from '../topology/types.ts';
import { DISPATCHED_HEADER, stampBytes } from '../ums/beat-stamps.ts';
import { type LogicalName, OWN_NAME } from '../ums/namespace.ts';
import type { DispatchStatistics } from './dispatch-statistics.ts';

/** A run, or the part of one, of one schema and one partition of `<ds>.<schema>`. */
export interface Dispatched {
  readonly schema: string;
  readonly partition: number;
  readonly run: RawRun;
  /** Statistics of the heartbeats in the run that was split, with its first part; absent for none. */
  readonly stats?: readonly StatMessage[];
}

export interface DispatchOptions {
  /** Subscribed schemas. Runs of others are dropped: the extractor had them subscribed once. */
  readonly schemas: readonly string[];
  /** Tables whose rows go to all partitions of all schemas; default none. */
  readonly signal?: (schema: string, table: string) => boolean;
  /** Partitions of each `<ds>.<schema>`. */
  readonly partitions: number;
  /** Logical names of tables: all tables of one are in one partition. Default: there are none. */
  readonly logical?: LogicalName;
  /** Counts tables and gives statistics at each heartbeat; default: nothing is counted. */
  readonly statistics?: DispatchStatistics | undefined;
}

/** In `spans`: a transaction's start. */
const TRANSACTION_SPAN = -1;
/** A bound on remembered tables; a line has far fewer. */
const MAX_REMEMBERED = 100_000;

/**
 * The dispatcher: splits each run by schema and table partition, and emits the parts with their partition, in the order in which they begin in the run. A transaction's
 * start goes to each part that has an event of it; statements go to all partitions of their schema, and rows of signal tables to all partitions of all schemas. A run of
 * one part passes unchanged.
 * Routes on envelope fields alone. Errors: UMBUS_TOPOLOGY_DECODE when spans, tables and events do not fit.
 */
export function createDispatcher(options: DispatchOptions): Processor<string, RawRun, string, Dispatched> {
  const router = new Router(options);
  return {
    on: (record, context, emit) => {
      const run = record.value;
      const routes = run.tables.map(table => router.route(table));
      const only = onlyPart(routes);
      if (only === 'none') return;
      const parts = only === null ? splitRun(run, routes) : [{ ...only, run }];
      const dispatched = Math.round(context.now() * 1000);
      const stamped = router.signals(routes)
        ? { headers: { [DISPATCHED_HEADER]: stampBytes(dispatched) } }
        : {};
      const stats = options.statistics?.of(run, { dispatched, offset: record.offset }, router) ?? [];
      for (const [i, part] of parts.entries()) {
        const { partition } = part;
        const value = i === 0 && stats.length > 0 ? { ...part, stats } : part;
        emit(record.key, value, { partition, ...stamped });
      }
    },
  };
}

/** The partition of a table, given its logical name: murmur2 of `schema.table` in UTF-8, as Kafka's clients would place that key. */
export function tablePartition(schema: string, table: string, partitions: number): number {
  return (murmur2(Buffer.from(`${schema}.${table}`)) & 0x7fffffff) % partitions;
}

/** Where spans go. */
interface Target {
  readonly schema: string;
  readonly partition: number;
}

/** Where a table's spans go: to one partition, to all of a schema (statements), to all of all schemas (signals), or nowhere. */
type Route = readonly Target[];

class Router {
  readonly #options: DispatchOptions;
  readonly #schemas: ReadonlySet<string>;
  readonly #routes = new Map<string, Route>();
  /** That of all signal tables. */
  readonly #everywhere: Route;

  constructor(options: DispatchOptions) {
    this.#options = options;
    this.#schemas = new Set(options.schemas);
    this.#everywhere = options.schemas.flatMap(each => this.#allOf(each));
  }

  /** Whether the line has a schema. */
  has(schema: string): boolean {
    return this.#schemas.has(schema);
  }

  /** Whether a run whose tables have these routes has rows of signal tables. */
  signals(routes: readonly Route[]): boolean {
    return routes.includes(this.#everywhere);
  }

  route({ schema, table }: RawTable): Route {
    const key = `${schema}\0${table}`;
    const known = this.#routes.get(key);
    if (known !== undefined) return known;
    const route = this.#make(schema, table);
    if (this.#routes.size >= MAX_REMEMBERED) this.#routes.clear();
    this.#routes.set(key, route);
    return route;
  }

  #make(schema: string, table: string): Route {
    const { signal, partitions, logical = OWN_NAME } = this.#options;
    if (signal?.(schema, table) === true) return this.#everywhere;
    if (!this.#schemas.has(schema)) return [];
    if (table === '') return this.#allOf(schema);
    return [{ schema, partition: tablePartition(schema, logical(schema, table), partitions) }];
  }

  #allOf(schema: string): Route {
    return Array.from({ length: this.#options.partitions }, (_, partition) => ({ schema, partition }));
  }
}

/** The one part that all tables go to; null when there are several, or some go nowhere; 'none' when there is nothing to emit. */
function onlyPart(routes: readonly Route[]): Target | null | 'none' {
  const [first] = routes;
  if (first === undefined) return 'none';
  const [only] = first;
  for (const route of routes) {
    const [target] = route;
    if (route.length !== 1 || target?.schema !== only?.schema || target?.partition !== only?.partition) {
      return null;
    }
  }
  return only ?? null;
}

function splitRun(run: RawRun, routes: readonly Route[]): readonly Dispatched[] {
  checkSpans(run);
  const parts = new Map<string, Part>();
  let transactionAt = -1;
  let transactionBytes = 0;
  let at = 0;
  for (let i = 0; i + 1 < run.spans.length; i += 2) {
    const table = run.spans[i] ?? TRANSACTION_SPAN;
    const bytes = run.spans[i + 1] ?? 0;
    if (table === TRANSACTION_SPAN) {
      transactionAt = at;
      transactionBytes = bytes;
    } else {
      for (const target of routes[table] ?? []) {
        const part = partOf(parts, target);
        if (transactionAt >= 0) part.addTransaction(transactionAt, transactionBytes);
        part.add(run.tables[table], table, at, bytes);
      }
    }
    at += bytes;
  }
  return [...parts.values()].map(part => {
    const { schema, partition } = part;
    return { schema, partition, run: part.toRun(run) };
  });
}

function checkSpans(run: RawRun): void {
  if (spansFit(run)) return;
  const bytes = run.spans.reduce((sum, value, i) => (i % 2 === 0 ? sum : sum + value), 0);
  throw new UmbusError(
    'UMBUS_TOPOLOGY_DECODE',
    `The run at ${run.file}:${run.position} has spans of ${bytes} bytes over ${run.events.length} bytes of events.`,
    { details: { file: run.file, position: run.position } },
  );
}

function partOf(parts: Map<string, Part>, { schema, partition }: Target): Part {
  const key = `${partition} ${schema}`;
  let part = parts.get(key);
  if (part === undefined) {
    part = new Part(schema, partition);
    parts.set(key, part);
  }
  return part;
}

/** The spans of one part while they are gathered. */
class Part {
  readonly schema: string;
  readonly partition: number;
  readonly #tables: RawTable[] = [];
  readonly #indexes = new Map<number, number>();
  readonly #spans: number[] = [];
  /** Pairs: offset in the run's events, byte length. */
  readonly #pieces: number[] = [];
  #bytes = 0;
  #transactionAt = -1;

  constructor(schema: string, partition: number) {
    this.schema = schema;
    this.partition = partition;
  }

  /** The start of the transaction that the next event belongs to; taken once. */
  addTransaction(at: number, bytes: number): void {
    if (at === this.#transactionAt) return;
    this.#transactionAt = at;
    this.#addSpan(TRANSACTION_SPAN, at, bytes);
  }

  add(table: RawTable | undefined, indexInRun: number, at: number, bytes: number): void {
    let index = this.#indexes.get(indexInRun);
    if (index === undefined && table !== undefined) {
      index = this.#tables.push(table) - 1;
      this.#indexes.set(indexInRun, index);
    }
    this.#addSpan(index ?? TRANSACTION_SPAN, at, bytes);
  }

  toRun(run: RawRun): RawRun {
    const events = eventsBuffer(this.#bytes);
    let to = 0;
    for (let i = 0; i + 1 < this.#pieces.length; i += 2) {
      const at = this.#pieces[i] ?? 0;
      to += run.events.copy(events, to, at, at + (this.#pieces[i + 1] ?? 0));
    }
    return {
      ...run,
      position: eventStart(run.events, this.#pieces[0] ?? 0, run.position),
      filtered: 0,
      tables: this.#tables,
      spans: this.#spans,
      events,
    };
  }

  #addSpan(index: number, at: number, bytes: number): void {
    this.#bytes += bytes;
    const lastSpan = this.#spans.length - 2;
    if (this.#spans[lastSpan] === index && index !== TRANSACTION_SPAN) {
      this.#spans[lastSpan + 1] = (this.#spans[lastSpan + 1] ?? 0) + bytes;
    } else this.#spans.push(index, bytes);
    const lastPiece = this.#pieces.length - 2;
    const pieceEnd = (this.#pieces[lastPiece] ?? Number.NaN) + (this.#pieces[lastPiece + 1] ?? 0);
    if (pieceEnd === at) this.#pieces[lastPiece + 1] = (this.#pieces[lastPiece + 1] ?? 0) + bytes;
    else this.#pieces.push(at, bytes);
  }
}

/** Random work on a model server: what it writes to its binlog, and what a reader must make of that. */
import { Buffer } from 'node:buffer';
import { type Random, seededRandom } from '../../src/testing/index.ts';
import type { TableSpec } from '../support/binlog-builder.ts';
import { heartbeatImage, heartbeatTable, packetOf } from '../support/signal-rows.ts';
import { type BinlogForm, BinlogStore, type FileEnd, type StoredEvent } from './binlog-store.ts';
import { type Column, rowImage } from './columns.ts';
import { ModelTable } from './model-table.ts';
import { contentOf, type Fact, quoted, specOf, type TableContent } from './workload-facts.ts';

/** What a workload is made of. */
export interface WorkloadOptions {
  readonly seed: number;
  readonly form: BinlogForm;
  readonly schemas: readonly string[];
  /** How many transactions and definitions, about. */
  readonly units: number;
  /** `schema.table` whose rows cannot be decoded for a while; null for none. */
  readonly spoiled: string | null;
}

/** Microseconds since 1970-01-01 UTC of the first heartbeat. */
const BEATS_SINCE = 1_710_000_000_000_000;

/** A schema that the line does not read, and a table of each schema that it leaves out. */
export const STRANGE_SCHEMA = 'strange';
export const LEFT_OUT = 'left_out';
/** The tables of each schema that the line reads. The last has no key. */
export const TABLES = ['orders', 'items', 'notes'] as const;

/** Runs a random workload to its end. Equal options give equal workloads. */
export function runWorkload(options: WorkloadOptions): Workload {
  const workload = new Workload(options);
  workload.run();
  return workload;
}

class Workload {
  readonly store: BinlogStore;
  readonly facts: Fact[] = [];
  /** Row events of tables that the line does not read. */
  readonly strangeEvents: StoredEvent[] = [];
  /** Of a table with an event that cannot be decoded: its content before the first such event. */
  readonly contentBeforeBad = new Map<string, TableContent>();
  readonly #options: WorkloadOptions;
  readonly #random: Random;
  readonly #tables: ModelTable[] = [];
  #nextTableId = 70;
  /** While this is positive, rows of the spoiled table are bad. */
  #badEvents = 0;
  readonly #beatRandom: Random;
  #beats = 0;

  constructor(options: WorkloadOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed * 2_654_435_761);
    this.#beatRandom = seededRandom(options.seed ^ 0x27d4_eb2f);
    this.store = new BinlogStore(options.form);
    for (const schema of options.schemas) {
      for (const name of [...TABLES, LEFT_OUT]) this.#create(schema, name);
    }
    this.#create(STRANGE_SCHEMA, 'orders');
  }

  /** What a table of the server holds in the end. */
  content(name: string): TableContent {
    const table = this.#tables.find(each => `${each.schema}.${each.name}` === name);
    return table === undefined ? { columns: [], rows: [] } : contentOf(table);
  }

  run(): void {
    const random = this.#random;
    const { units, spoiled } = this.#options;
    const badFrom = spoiled === null ? -1 : Math.floor(units / 4) + random.below(Math.ceil(units / 3));
    for (let unit = 0; unit < units; unit++) {
      if (unit === badFrom) this.#badEvents = 1 + random.below(4);
      const dice = random.next();
      if (dice < 0.01) this.#replaceSchema();
      else if (dice < 0.1) this.#define();
      else if (dice < 0.2) this.#nextFile();
      else this.#transact(random.chance(0.08) ? 12 + random.below(20) : 1 + random.below(4));
      if (this.#beatRandom.chance(0.3)) this.#beat();
    }
  }

  /** Heartbeats of all tables, of a schema's or of one, also of other lines; now and then old ones are deleted. */
  #beat(): void {
    const random = this.#beatRandom;
    const { schemas } = this.#options;
    const spec = heartbeatTable(65, { metadata: random.chance(0.8) });
    this.store.begin('rows', 'dbus', 1000);
    for (let rows = 1 + random.below(2); rows > 0; rows--) {
      this.#beats += 1;
      const own = random.chance(0.8);
      const schema = random.pick(['*', '*', ...schemas, STRANGE_SCHEMA]) ?? '*';
      const table = schema === '*' ? '*' : (random.pick(['*', ...TABLES, LEFT_OUT]) ?? '*');
      const packet = packetOf(this.#beats, BEATS_SINCE + this.#beats * 1_000_003);
      const image = heartbeatImage({ id: this.#beats, ds: own ? 'model' : 'other', schema, table, packet });
      this.store.tableMap(spec);
      const event = this.store.rows('insert', spec, image, true);
      const time = beatTime(BEATS_SINCE + this.#beats * 1_000_003);
      this.facts.push({
        schema,
        table,
        fileNumber: this.store.fileNumber,
        event,
        time,
        what: { kind: 'beat', own },
      });
      if (random.chance(0.2)) this.strangeEvents.push(this.store.rows('delete', spec, image, true));
    }
    this.store.commit('rows');
  }

  #create(schema: string, name: string): void {
    const random = this.#random;
    const keyless = name === 'notes';
    const columns: Column[] = [
      { name: 'id', kind: random.chance(0.7) ? 'int' : 'bigint', nullable: false, width: 0, variety: 3 },
    ];
    const twoPartKey = !keyless && random.chance(0.3);
    if (twoPartKey) columns.push({ name: 'region', kind: 'varchar', nullable: false, width: 8, variety: 3 });
    for (const kind of ['varchar', 'decimal', 'int'] as const) {
      const column = { name: `${kind} value`, kind, nullable: random.chance(0.5), width: 40 };
      if (random.chance(0.8)) columns.push({ ...column, variety: keyless ? 2 : 1000 });
    }
    // The place of the id in the row must not matter.
    if (random.chance(0.2)) columns.reverse();
    const key = keyless ? [] : twoPartKey ? ['region', 'id'] : ['id'];
    const table = new ModelTable(schema, name, columns, key, this.#nextTableId++);
    const at = this.#tables.findIndex(each => each.schema === schema && each.name === name);
    if (at < 0) this.#tables.push(table);
    else this.#tables[at] = table;
  }

  #nextFile(): void {
    const end: FileEnd = this.#random.pick(['rotate', 'rotate', 'stop', 'killed'] as const) ?? 'rotate';
    this.store.nextFile(end);
    if (end === 'rotate') return;
    // A server that was started again opens its tables anew.
    for (const table of this.#tables) table.tableId = this.#nextTableId++;
  }

  #transact(statements: number): void {
    const random = this.#random;
    const schema = random.pick(this.#tables)?.schema ?? '';
    this.store.begin('rows', schema, random.below(3_000_000));
    for (let i = 0; i < statements; i++) {
      const table = random.pick(this.#tables);
      if (table === undefined) continue;
      const second = random.chance(0.1) ? random.pick(this.#tables) : undefined;
      if (second === undefined || second === table) this.#statement([table]);
      else this.#statement([table, second]);
    }
    this.store.commit('rows');
  }

  /** A statement that changes rows of one table, or of two: all its table maps come first. */
  #statement(tables: readonly ModelTable[]): void {
    const random = this.#random;
    const changes = tables.flatMap(table => {
      const bad = this.#isBad(table);
      const spec = specOf(table, bad && random.chance(0.4));
      const events = random.chance(0.15) ? 2 : 1;
      return Array.from({ length: events }, () => ({ table, spec, bad }));
    });
    for (const spec of new Set(changes.map(change => change.spec))) this.store.tableMap(spec);
    for (const [i, change] of changes.entries()) this.#change(change, i === changes.length - 1);
  }

  #isBad({ schema, name }: ModelTable): boolean {
    if (this.#badEvents === 0 || `${schema}.${name}` !== this.#options.spoiled) return false;
    this.#badEvents -= 1;
    return true;
  }

  #change({ table, spec, bad }: Change, last: boolean): void {
    const random = this.#random;
    const name = `${table.schema}.${table.name}`;
    if (bad && !this.contentBeforeBad.has(name)) this.contentBeforeBad.set(name, contentOf(table));
    const count = 1 + random.below(random.chance(0.1) ? 12 : 4);
    const wanted = random.pick(['insert', 'insert', 'update', 'update', 'delete'] as const) ?? 'insert';
    let operation = table.rows.length === 0 ? 'insert' : wanted;
    let images = table[operation](count, random);
    if (images.length === 0) {
      operation = 'delete';
      images = table.delete(count, random);
    }
    const bytes = images.flatMap(image =>
      [image.before, image.after].flatMap(row => (row === null ? [] : rowImage(table.columns, row))),
    );
    // The byte begins another row, of which nothing follows.
    if (bad && spec.metadata !== false) bytes.push(Buffer.alloc(1));
    const event = this.store.rows(operation, spec, Buffer.concat(bytes), last);
    if (!this.#isRead(table)) {
      this.strangeEvents.push(event);
      return;
    }
    const { columns, key } = table;
    const badPart = bad ? (spec.metadata === false ? 'map' : 'rows') : null;
    this.#note(table, event, { kind: 'rows', columns, key, images, bad: badPart });
  }

  #isRead({ schema, name }: ModelTable): boolean {
    return schema !== STRANGE_SCHEMA && name !== LEFT_OUT;
  }

  #note({ schema, name }: ModelTable, event: StoredEvent, what: Fact['what']): void {
    const { fileNumber, timeText } = this.store;
    this.facts.push({ schema, table: name, fileNumber, event, time: timeText, what });
  }

  #define(): void {
    const random = this.#random;
    const table = random.pick(this.#tables);
    if (table === undefined) return;
    const change = random.pick([
      'add',
      'add',
      'drop',
      'widen',
      'comment',
      'truncate',
      'replace',
      'swap',
    ] as const);
    if (change === 'truncate') this.#empty(table, 'truncate');
    else if (change === 'swap') this.#swap(table.schema);
    else if (change === 'replace') {
      this.#empty(table, 'drop');
      this.#create(table.schema, table.name);
      this.#made(table);
    } else if (change === 'add') this.#alter(table, `ADD COLUMN \`${table.addColumn(random).name}\` INT`);
    else if (change === 'comment') this.#alter(table, "COMMENT = 'DROP TABLE orders; TRUNCATE notes'");
    else {
      const column = change === 'drop' ? table.dropColumn(random) : table.widenColumn(random);
      const verb = change === 'drop' ? 'DROP COLUMN' : 'MODIFY';
      if (column !== null) this.#alter(table, `${verb} \`${column.name}\``);
    }
  }

  /** Two tables of a schema change names, in one statement. Not where one goes bad, which is told by its name. */
  #swap(schema: string): void {
    const [a, b] = ['orders', 'items'].map(name =>
      this.#tables.find(each => each.schema === schema && each.name === name),
    );
    if (a === undefined || b === undefined || this.#options.spoiled !== null) return;
    const between = { schema, name: 'between' };
    const steps = [
      [a, between],
      [b, a],
      [between, b],
    ] as const;
    const sql = steps.map(([from, to]) => `${quoted(from)} TO ${quoted(to)}`).join(', ');
    this.store.begin('definition', schema, 1);
    const event = this.store.statement(
      `RENAME TABLE ${sql}`,
      this.#random.pick([schema, STRANGE_SCHEMA]) ?? schema,
    );
    this.store.commit('definition');
    if (this.#isRead(a)) {
      this.#note(a, event, { kind: 'renamed', to: `${schema}.${b.name}` });
      this.#note(b, event, { kind: 'renamed', to: `${schema}.${a.name}` });
    }
    [a.name, b.name] = [b.name, a.name];
    for (const table of [a, b]) table.tableId = this.#nextTableId++;
  }

  /** Drops a schema and makes it anew. */
  #replaceSchema(): void {
    const schema = this.#random.pick([...this.#options.schemas, STRANGE_SCHEMA]) ?? STRANGE_SCHEMA;
    this.store.begin('definition', schema, 1);
    const event = this.store.statement(`DROP DATABASE \`${schema}\``, schema);
    this.store.commit('definition');
    const dropped = this.#tables.filter(each => each.schema === schema);
    for (const table of dropped) {
      if (this.#isRead(table)) this.#note(table, event, { kind: 'emptied', reason: 'drop' });
    }
    for (const table of dropped) {
      this.#create(schema, table.name);
      this.#made(table);
    }
  }

  #alter(table: ModelTable, change: string): void {
    table.tableId = this.#nextTableId++;
    this.#defined(table, `ALTER TABLE ${quoted(table)} ${change}`);
  }

  #made(table: ModelTable): void {
    this.#defined(table, `CREATE TABLE ${quoted(table)} (id INT)`);
  }

  #defined(table: ModelTable, sql: string): void {
    const event = this.#ddl(table, sql);
    if (this.#isRead(table)) this.#note(table, event, { kind: 'defined' });
  }

  #empty(table: ModelTable, reason: 'truncate' | 'drop'): void {
    table.rows = [];
    table.tableId = this.#nextTableId++;
    const verb =
      reason === 'drop' ? 'DROP TABLE IF EXISTS' : this.#random.chance(0.5) ? 'TRUNCATE TABLE' : 'truncate';
    const event = this.#ddl(table, `${verb} ${quoted(table)} /* by the server */`);
    if (this.#isRead(table)) this.#note(table, event, { kind: 'emptied', reason });
  }

  /** A statement on a table that is named with its schema, from any session, or without, from one of that schema. */
  #ddl(table: ModelTable, sql: string): StoredEvent {
    const random = this.#random;
    const elsewhere = random.chance(0.3)
      ? random.pick(['', STRANGE_SCHEMA, ...this.#options.schemas])
      : undefined;
    this.store.begin('definition', table.schema, random.below(3_000_000));
    const event =
      elsewhere === undefined
        ? this.store.statement(sql.replace(quoted(table), `\`${table.name}\``), table.schema)
        : this.store.statement(sql, elsewhere);
    this.store.commit('definition');
    return event;
  }
}

function beatTime(micros: number): string {
  const seconds = Math.floor(micros / 1_000_000);
  const text = new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');
  return `${text}.${String(micros - seconds * 1_000_000).padStart(6, '0')}`;
}

export type { Workload };

interface Change {
  readonly table: ModelTable;
  readonly spec: TableSpec;
  readonly bad: boolean;
}

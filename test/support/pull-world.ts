/** A table that changes while it is pulled, by hand-made events: for tests of what the appender makes of watermarks and pages. */
import { Buffer } from 'node:buffer';
import { ColumnType } from '../../src/binlog/column-type.ts';
import { EVENT_LOG_POS_AT } from '../../src/binlog/event-type.ts';
import type { ColumnMap } from '../../src/binlog/table-map-types.ts';
import { PAGE_HEADER, pageRun, pageTable } from '../../src/change/pull-page.ts';
import { type PullAnswer, type PullSignal, signalPacket } from '../../src/change/pull-signal.ts';
import type { RawRun, RawTable } from '../../src/change/raw-run.ts';
import type { Headers } from '../../src/ports/log.ts';
import type { Random } from '../../src/testing/random.ts';
import { pullTopicOf } from '../../src/ums/namespace.ts';
import { type Emitted, row, table } from '../unit/stages/append-fixture.ts';
import { BinlogBuilder } from './binlog-builder.ts';
import { ExtractDriver } from './extract-driver.ts';
import { watermarkImage, watermarkTable } from './signal-rows.ts';

const column = (name: string, type: number, options: Partial<ColumnMap>): ColumnMap => ({
  name,
  type,
  meta: 0,
  nullable: false,
  unsigned: null,
  collation: null,
  labels: null,
  geometryType: null,
  visible: true,
  ...options,
});

/** The columns of `shop.<name>` of append-fixture.ts, as a puller reads them. */
const COLUMNS = {
  columns: [
    column('id', ColumnType.LONG, { unsigned: false }),
    column('name', ColumnType.VARCHAR, { meta: 200, nullable: true, collation: 45 }),
  ],
  primaryKey: [0],
};
/** Bitmaps of row images: all columns, and only the key's. */
const [WHOLE, KEY_ONLY] = [Buffer.of(3), Buffer.of(1)];
const FIRST_POSITION = 4;

/** A record on its way to the appender. */
export interface WorldRecord {
  readonly run: RawRun;
  readonly headers: Headers;
}

/** What became of a row of the table at a place; `name` null: it went. `id` null: all rows went. */
interface Happened {
  readonly position: number;
  readonly id: number | null;
  readonly name: string | null;
}

/** How a world is made. */
export interface PullWorldOptions {
  /** Its table has no key, and rows show the rest of their id by 4 only, so that some are equal. */
  readonly keyless?: boolean;
  /** What is written waits until {@link PullWorld.read} or {@link PullWorld.land}; else each transaction lands at once. */
  readonly waits?: boolean;
  readonly runBytes?: number;
}

/** The source's table, its binlog, the extractor that reads it, and the records that were made of both. */
export class PullWorld {
  readonly rows = new Map<number, string>();
  readonly records: WorldRecord[] = [];
  readonly #table: string;
  readonly #options: PullWorldOptions;
  readonly #builder = new BinlogBuilder();
  readonly #happened: Happened[] = [];
  readonly #extractor: ExtractDriver;
  #landed = 0;
  /** Frames what the connection sends. */
  #connection = this.#builder;
  /** Events that the connection has not sent; bytes that were sent and not read. */
  #next = 0;
  #unread: Buffer = Buffer.alloc(0);
  #inTransaction = false;

  constructor(name: string, options: PullWorldOptions = {}) {
    this.#table = name;
    this.#options = options;
    const { runBytes } = options;
    this.#extractor = new ExtractDriver({
      signal: schema => schema === 'dbus',
      ...(runBytes !== undefined && { runBytes }),
    });
    this.#builder.formatDescription();
    this.#open(FIRST_POSITION, null, '');
  }

  /** A row of the map as readers see it. */
  shown([id, name]: readonly [id: number, name: string]): readonly [id: number, name: string] {
    return [this.#options.keyless === true ? id % 4 : id, name];
  }

  #row(id: number, name: string): Buffer {
    return row(...this.shown([id, name]));
  }

  get #spec() {
    return table(this.#table, 7, this.#options.keyless === true ? { primaryKey: [] } : {});
  }

  /** Inserts a row or changes it. */
  put(id: number, name: string): void {
    const before = this.rows.get(id);
    if (before !== undefined) this.update([[id, name]]);
    else this.#event('insert', this.#row(id, name), [[id, name]]);
  }

  /** Changes rows that are there, by one statement. `minimal`: its session leaves out of rows before what is no key; where there is none, all of it stays. */
  update(rows: readonly (readonly [id: number, name: string])[], minimal = false): void {
    const partial = minimal && this.#options.keyless !== true;
    const images = rows.flatMap(([id, name]) => {
      const before = this.#row(id, this.rows.get(id) ?? '');
      // The bitmap of NULL, and the key's four bytes.
      return [
        partial ? Buffer.concat([Buffer.alloc(1), before.subarray(1, 5)]) : before,
        this.#row(id, name),
      ];
    });
    const present = partial ? [KEY_ONLY, WHOLE] : undefined;
    this.#event('update', Buffer.concat(images), rows, present);
  }

  /** Gives a row another key; the new one must be free. */
  rekey(id: number, to: number): void {
    const name = this.rows.get(id) ?? '';
    this.#event('update', Buffer.concat([this.#row(id, name), this.#row(to, name)]), [
      [id, null],
      [to, name],
    ]);
  }

  /** Deletes rows, by one statement. */
  remove(...ids: readonly number[]): void {
    const images = ids.map(id => this.#row(id, this.rows.get(id) ?? ''));
    this.#event(
      'delete',
      Buffer.concat(images),
      ids.map(id => [id, null]),
    );
  }

  /** Writes an event that nobody can decode, of an insert that ends within its row. */
  damage(): void {
    this.#event('insert', Buffer.alloc(1), []);
  }

  truncate(): void {
    this.#builder.gtid();
    this.#happened.push({ position: this.#builder.position, id: null, name: null });
    this.#builder.query(`TRUNCATE TABLE ${this.#table}`, 'shop');
    this.rows.clear();
    this.#committed();
  }

  /** Does changes in one transaction. */
  transaction(work: () => void): void {
    this.#builder.gtid();
    this.#builder.query('BEGIN', 'shop');
    this.#inTransaction = true;
    work();
    this.#inTransaction = false;
    this.#builder.xid();
    this.#committed();
  }

  #event(
    operation: 'insert' | 'update' | 'delete',
    images: Buffer,
    changed: readonly (readonly [id: number, name: string | null])[],
    present?: readonly Buffer[],
  ): void {
    if (!this.#inTransaction) {
      this.transaction(() => this.#event(operation, images, changed, present));
      return;
    }
    const spec = this.#spec;
    this.#builder.tableMap(spec);
    const { position } = this.#builder;
    this.#builder.rows(operation, spec.tableId, spec.columns.length, images, {
      ...(present !== undefined && { present }),
    });
    for (const [id, name] of changed) {
      this.#happened.push({ position, id, name });
      if (name === null) this.rows.delete(id);
      else this.rows.set(id, name);
    }
  }

  signal(signal: PullSignal): void {
    const token = 'token' in signal ? signal.token : '';
    const packet = signalPacket(signal);
    const spec = watermarkTable(93);
    const image = watermarkImage({ id: 1, ds: 'web', mark: signal.kind, token, packet });
    this.transaction(() => {
      this.#builder.tableMap(spec);
      this.#builder.rows('insert', spec.tableId, spec.columns.length, image);
    });
  }

  /** The entry of the table's pages. */
  get entry(): RawTable {
    const columns = this.#options.keyless === true ? { ...COLUMNS, primaryKey: [] } : COLUMNS;
    return pageTable('shop', this.#table, columns);
  }

  /** Rows as a puller reads them. */
  images(rows: readonly (readonly [id: number, name: string])[]): Buffer {
    return Buffer.concat(rows.map(([id, name]) => this.#row(id, name)));
  }

  /** A page of rows, which goes where it stands among the records. */
  page(
    token: string,
    page: number,
    rows: readonly (readonly [id: number, name: string])[],
    next: string | null,
  ): void {
    const head = { token, page, rows: rows.length, next };
    this.records.push({
      run: pageRun(this.entry, this.images(rows), 0),
      headers: { [PAGE_HEADER]: Buffer.from(JSON.stringify(head)) },
    });
  }

  #committed(): void {
    if (this.#options.waits !== true) this.land();
  }

  /** Does to a map of rows what happened to the table from place `from` on and before `to`. */
  replay(rows: Map<number, string>, from: number, to: number): void {
    for (const { position, id, name } of this.#happened) {
      if (position < from || position >= to) continue;
      if (id === null) rows.clear();
      else if (name === null) rows.delete(id);
      else rows.set(id, name);
    }
  }

  /** The extractor reads so many bytes, at most all that there are, and lands what it has when no transaction is open. */
  read(bytes: number): void {
    const { events } = this.#builder;
    const sent = events.slice(this.#next).map(event => this.#connection.packet(packetOf(event)));
    this.#next = events.length;
    this.#unread = Buffer.concat([this.#unread, ...sent]);
    this.#extractor.bytes(this.#unread.subarray(0, bytes), 1 << 20);
    this.#unread = this.#unread.subarray(bytes);
  }

  /** Lands what was read, but for a transaction that is open. */
  commit(): void {
    this.#extractor.commit();
    this.#take();
  }

  /** Reads all that was written, and lands it. */
  land(): void {
    this.read(Number.POSITIVE_INFINITY);
    this.commit();
  }

  /** The connection ends, or the extractor is killed, and loses what has not landed; then it goes on from what has. */
  cut(killed: boolean): void {
    if (!killed) this.#extractor.end();
    this.#take();
    const tail = this.#extractor.emitted.at(-1)?.run;
    if (tail === undefined) this.#open(FIRST_POSITION, null, '');
    else this.#open(tail.resume.position, tail.next, tail.resume.gtid);
  }

  #take(): void {
    const { emitted } = this.#extractor;
    for (; this.#landed < emitted.length; this.#landed++) {
      const run = emitted[this.#landed]?.run;
      if (run !== undefined && run.events.length > 0) this.records.push({ run, headers: {} });
    }
  }

  #open(position: number, next: number | null, gtid: string): void {
    const { file, events } = this.#builder;
    this.#connection = new BinlogBuilder({ file, position }).begin();
    this.#unread = this.#connection.packets();
    // The description of the file comes with the connection.
    const at = events.findIndex((event, i) => i > 0 && startOf(event) >= position);
    this.#next = at < 0 ? events.length : at;
    const skipBefore = next === null ? null : { file, position: next };
    this.#extractor.open({ from: { file, position, gtid }, skipBefore });
  }
}

function startOf(event: Buffer): number {
  return event.readUInt32LE(EVENT_LOG_POS_AT) - event.length;
}

function packetOf(event: Buffer): Buffer {
  return Buffer.concat([Buffer.alloc(1), event]);
}

/** What an appender answered. */
export function answersOf({ emitted }: { readonly emitted: readonly Emitted[] }): PullAnswer[] {
  return emitted
    .filter(({ output }) => output.topic === pullTopicOf('web'))
    .map(({ output }) => JSON.parse(output.value.toString('utf8')) as PullAnswer);
}

/** Changes a table somehow, whose rows have ids below `keys`: by one statement, or by a transaction of several. */
export function changeRandomly(world: PullWorld, random: Random, keys: number): void {
  if (random.chance(0.01)) world.truncate();
  else if (random.chance(0.8)) statement(world, random, keys);
  else
    world.transaction(() => {
      for (let i = random.below(4); i >= 0; i--) statement(world, random, keys);
    });
}

function statement(world: PullWorld, random: Random, keys: number): void {
  const id = random.below(keys);
  const to = random.below(keys);
  const name = `v${random.below(1000)}`;
  const others = [...world.rows.keys()].filter(other => other >= id && other < id + 5);
  const chance = random.below(100);
  if (chance < 20 && others.length > 0) {
    world.update(
      others.map(other => [other, name]),
      random.chance(0.1),
    );
  } else if (chance < 25 && others.length > 0) world.remove(...others);
  else if (!world.rows.has(id) || chance < 55) world.put(id, name);
  else if (chance < 80 || world.rows.has(to)) world.remove(id);
  else world.rekey(id, to);
}

/** Lets the extractor read some of what there is, or all, and land it or not; its connection may end, or it may be killed. */
export function landRandomly(world: PullWorld, random: Random): void {
  const chance = random.below(100);
  if (chance < 3) world.cut(random.chance(0.5));
  else if (chance < 30) world.read(random.below(600));
  else if (chance < 40) world.read(Number.POSITIVE_INFINITY);
  if (chance < 60) world.commit();
  else world.land();
}

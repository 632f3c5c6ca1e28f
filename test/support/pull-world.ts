/** A table that changes while it is pulled, by hand-made events: for tests of what the appender makes of watermarks and pages. */
import { Buffer } from 'node:buffer';
import { ColumnType } from '../../src/binlog/column-type.ts';
import type { ColumnMap } from '../../src/binlog/table-map-types.ts';
import { PAGE_HEADER, pageRun, pageTable } from '../../src/change/pull-page.ts';
import { type PullAnswer, type PullSignal, signalPacket } from '../../src/change/pull-signal.ts';
import type { RawRun } from '../../src/change/raw-run.ts';
import type { Headers } from '../../src/ports/log.ts';
import { pullTopicOf } from '../../src/ums/namespace.ts';
import { AppendDriver, row, table } from '../unit/stages/append-fixture.ts';
import { BinlogBuilder, transaction } from './binlog-builder.ts';
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

/** A record on its way to the appender. */
export interface WorldRecord {
  readonly run: RawRun;
  readonly headers: Headers;
}

/** The source's table, its binlog, and the records that were made of both. */
export class PullWorld {
  readonly rows = new Map<number, string>();
  readonly records: WorldRecord[] = [];
  readonly #table: string;
  readonly #keyless: boolean;
  readonly #builder = new BinlogBuilder().begin();
  readonly #extractor = new ExtractDriver({ signal: schema => schema === 'dbus' }).open();
  #landed = 0;

  /** `keyless`: the table has no key, and rows show the rest of their id by 4 only, so that some are equal. */
  constructor(name: string, keyless = false) {
    this.#table = name;
    this.#keyless = keyless;
  }

  /** A row of the map as readers see it. */
  shown([id, name]: readonly [id: number, name: string]): readonly [id: number, name: string] {
    return [this.#keyless ? id % 4 : id, name];
  }

  #row(id: number, name: string): Buffer {
    return row(...this.shown([id, name]));
  }

  get #spec() {
    return table(this.#table, 7, this.#keyless ? { primaryKey: [] } : {});
  }

  put(id: number, name: string): void {
    const before = this.rows.get(id);
    const spec = this.#spec;
    if (before === undefined) transaction(this.#builder, spec, this.#row(id, name));
    else
      transaction(this.#builder, spec, Buffer.concat([this.#row(id, before), this.#row(id, name)]), 'update');
    this.rows.set(id, name);
    this.#land();
  }

  /** Gives a row another key; the new one must be free. */
  rekey(id: number, to: number): void {
    const name = this.rows.get(id) ?? '';
    transaction(
      this.#builder,
      this.#spec,
      Buffer.concat([this.#row(id, name), this.#row(to, name)]),
      'update',
    );
    this.rows.delete(id);
    this.rows.set(to, name);
    this.#land();
  }

  remove(id: number): void {
    transaction(this.#builder, this.#spec, this.#row(id, this.rows.get(id) ?? ''), 'delete');
    this.rows.delete(id);
    this.#land();
  }

  truncate(): void {
    this.#builder.gtid();
    this.#builder.query(`TRUNCATE TABLE ${this.#table}`, 'shop');
    this.rows.clear();
    this.#land();
  }

  signal(signal: PullSignal): void {
    const token = 'token' in signal ? signal.token : '';
    const image = watermarkImage({
      id: 1,
      ds: 'web',
      mark: signal.kind,
      token,
      packet: signalPacket(signal),
    });
    transaction(this.#builder, watermarkTable(93), image);
    this.#land();
  }

  /** A page of rows, which goes where it stands among the records. */
  page(
    token: string,
    page: number,
    rows: readonly (readonly [id: number, name: string])[],
    next: string | null,
  ): void {
    const images = Buffer.concat(rows.map(([id, name]) => this.#row(id, name)));
    const head = { token, page, rows: rows.length, next };
    this.records.push({
      run: pageRun(
        pageTable('shop', this.#table, this.#keyless ? { ...COLUMNS, primaryKey: [] } : COLUMNS),
        images,
        0,
      ),
      headers: { [PAGE_HEADER]: Buffer.from(JSON.stringify(head)) },
    });
  }

  #land(): void {
    this.#extractor.bytes(this.#builder.packets()).commit();
    const { runs } = this.#extractor;
    for (const run of runs.slice(this.#landed)) this.records.push({ run, headers: {} });
    this.#landed = runs.length;
  }
}

/** What an appender answered. */
export function answersOf(driver: AppendDriver): PullAnswer[] {
  return driver.emitted
    .filter(({ output }) => output.topic === pullTopicOf('web'))
    .map(({ output }) => JSON.parse(output.value.toString('utf8')) as PullAnswer);
}

/** Partitions of the topics of a world whose pulls an appender follows. */
export const WORLD_PARTITIONS = 8;

/** An appender of a world, with what one before it had in its stores. */
export function worldDriver(before?: AppendDriver): AppendDriver {
  const driver = new AppendDriver({
    signals: { schema: 'dbus', partitions: WORLD_PARTITIONS },
    subscribed: schema => schema === 'shop',
    maxRows: 3,
  });
  for (const name of ['states', 'pulls', 'changed', 'held'] as const) {
    // The same store of both.
    for (const [key, value] of before?.[name] ?? []) (driver[name] as Map<string, unknown>).set(key, value);
  }
  return driver;
}

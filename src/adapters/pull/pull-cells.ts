import { Buffer } from 'node:buffer';
import type { ControlMessage, PullJob } from '../../change/pull-job.ts';
import type { PullFailure } from '../../change/pull-signal.ts';
import type { Coordination } from '../../ports/coordination.ts';
import { CopyCells } from './copy-cells.ts';
import type { PullLoad } from './load-watch.ts';

/** Where requests of the command line wait until a splitter's process takes them. */
export const REQUESTS = 'pulls/requests';
/** By pull: what it is, and how it ended. Kept as its history. */
const STATES = 'pulls/state';
/** By pull: how far it is. */
const COUNTS = 'pulls/counts';
/** By pull: how busy all are that it is a burden to. */
const LOADS = 'pulls/load';
/** By pull: that it was asked for because its table appeared. */
const INITIAL = 'pulls/initial';
/** By pull: what people want of it. */
export const CONTROLS = 'pulls/control';

/** What is known of a pull. Times are milliseconds since 1970-01-01 UTC. */
export interface PullRecord {
  readonly job: PullJob;
  readonly status: 'init' | 'splitting' | 'pulling' | 'ending' | 'abort';
  /** 0 before it has begun. */
  readonly batchId: number;
  /** Rows of the table, as the server estimated them when the pull began. */
  readonly rowsEstimate: number;
  /** Null while it is still split. */
  readonly shards: number | null;
  readonly startedMs: number | null;
  readonly endedMs: number | null;
  /** Rows published, once it has ended; null before. */
  readonly rows: number | null;
  readonly failure: PullFailure | null;
}

/** Whether nothing more will become of a pull. */
export function isOver({ status }: Pick<PullRecord, 'status'>): boolean {
  return status === 'ending' || status === 'abort';
}

/** How far a pull is. */
export interface PullCounts {
  /** Rows published. */
  readonly rows: number;
  /** Shards that are whole. */
  readonly done: number;
  readonly atMs: number;
}

/** What people want of a pull. */
export interface PullControl {
  readonly state: 'run' | 'pause' | 'cancel';
  /** Most rows a second of each process; null: as fast as it goes. */
  readonly rowsPerSecond: number | null;
  /** Most shards that each process reads of it at a time; null: as many as the line allows. */
  readonly concurrency: number | null;
}

/** What a pull is a burden to, as one of its processes saw it. */
export interface PullBurden extends PullLoad {
  /** Why it waits, as a clause; null: it does not. */
  readonly waits: string | null;
  readonly atMs: number;
}

/** What holds for a pull that nobody has said anything about. */
export const FREE: PullControl = { state: 'run', rowsPerSecond: null, concurrency: null };

const encode = (value: unknown): Buffer => Buffer.from(JSON.stringify(value), 'utf8');
/** Cells under these paths are written here alone. */
export function decodeCell<T>(value: Uint8Array): T {
  return JSON.parse(Buffer.from(value).toString('utf8')) as T;
}

/** Reads and writes what a line knows of its pulls, in its coordination. Errors: UMBUS_COORDINATION_*. */
export class PullCells {
  readonly #coordination: Coordination;
  readonly #ds: string;
  /** How far independent pulls are. */
  readonly copies: CopyCells;

  constructor(coordination: Coordination, ds: string) {
    this.#coordination = coordination;
    this.copies = new CopyCells(coordination);
    this.#ds = ds;
  }

  async request(pull: string, message: ControlMessage): Promise<void> {
    await this.#coordination.put(`${REQUESTS}/${pull}`, encode(message));
  }

  async record(pull: string): Promise<PullRecord | null> {
    const cell = await this.#coordination.get(`${STATES}/${pull}`);
    return cell === null ? null : decodeCell<PullRecord>(cell.value);
  }

  /** All that are kept, oldest first. */
  async records(): Promise<readonly PullRecord[]> {
    const cells = await this.#coordination.list(STATES);
    return cells
      .map(({ value }) => decodeCell<PullRecord>(value))
      .sort((a, b) => a.job.askedMs - b.job.askedMs);
  }

  async counts(pull: string): Promise<PullCounts | null> {
    const cell = await this.#coordination.get(`${COUNTS}/${pull}`);
    return cell === null ? null : decodeCell<PullCounts>(cell.value);
  }

  async control(pull: string): Promise<PullControl> {
    const cell = await this.#coordination.get(`${CONTROLS}/${pull}`);
    return cell === null ? FREE : { ...FREE, ...decodeCell<Partial<PullControl>>(cell.value) };
  }

  /** What is wanted of pulls: of all as it is now, then what changes, until the signal aborts. */
  async *controls(
    signal: AbortSignal,
  ): AsyncGenerator<{ readonly pull: string; readonly control: PullControl }> {
    for await (const { path, value } of this.#coordination.watch(CONTROLS, signal)) {
      const pull = path.slice(CONTROLS.length + 1);
      yield {
        pull,
        control: value === null ? FREE : { ...FREE, ...decodeCell<Partial<PullControl>>(value) },
      };
    }
  }

  /** Says what is wanted of a pull; what is left out is as for {@link FREE}. */
  async setControl(pull: string, control: Partial<PullControl>): Promise<void> {
    await this.#coordination.put(`${CONTROLS}/${pull}`, encode({ ...FREE, ...control }));
  }

  /** What was seen of it last. */
  async burden(pull: string): Promise<PullBurden | null> {
    const cell = await this.#coordination.get(`${LOADS}/${pull}`);
    return cell === null ? null : decodeCell<PullBurden>(cell.value);
  }

  noteBurden(pull: string, burden: PullBurden): void {
    this.#coordination.progress(`${LOADS}/${pull}`, encode(burden));
  }

  /** Whether a pull was asked for because its table appeared. */
  async isInitial(pull: string): Promise<boolean> {
    return (await this.#coordination.get(`${INITIAL}/${pull}`)) !== null;
  }

  async setInitial(pull: string): Promise<void> {
    await this.#coordination.put(`${INITIAL}/${pull}`, encode({}));
  }

  /** Changes a record; makes it when there is none. */
  async change(job: PullJob, changed: Partial<PullRecord>): Promise<PullRecord> {
    const before = await this.record(job.pull);
    const record: PullRecord = { ...(before ?? newRecord(job)), ...changed };
    await this.#coordination.put(`${STATES}/${job.pull}`, encode(record));
    return record;
  }

  /** Notes how far a pull is, for umbus and in the fields and at the path that DBUS has for it. */
  note(record: PullRecord, counts: PullCounts): void {
    this.#coordination.progress(`${COUNTS}/${record.job.pull}`, encode(counts));
    this.#coordination.progress(dbusPath(this.#ds, record), encode(dbusNode(record, counts)));
  }
}

function newRecord(job: PullJob): PullRecord {
  return {
    job,
    status: 'init',
    batchId: 0,
    rowsEstimate: 0,
    shards: null,
    startedMs: null,
    endedMs: null,
    rows: null,
    failure: null,
  };
}

/** `FullPuller/<ds>/<schema>/<table>/<yyyy-MM-dd HH.mm.ss.SSS> - <batch>`. */
function dbusPath(ds: string, { job, batchId }: PullRecord): string {
  const time = timeText(job.askedMs).replaceAll(':', '.');
  return `FullPuller/${ds}/${job.schema}/${job.table}/${time} - ${batchId}`;
}

function timeText(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').slice(0, 23);
}

/** The members of DBUS's progress node, all text. */
function dbusNode(record: PullRecord, { rows, done, atMs }: PullCounts): Readonly<Record<string, string>> {
  const { job, startedMs, endedMs, failure, shards } = record;
  const seconds = startedMs === null ? 0 : Math.round(((endedMs ?? atMs) - startedMs) / 1000);
  return {
    Partitions: '1',
    TotalCount: String(shards ?? done),
    FinishedCount: String(done),
    TotalRows: String(record.rowsEstimate),
    FinishedRows: String(rows),
    StartSecs: startedMs === null ? '' : String(Math.round(startedMs / 1000)),
    ConsumeSecs: `${seconds}s`,
    CreateTime: timeText(job.askedMs),
    UpdateTime: timeText(atMs),
    StartTime: startedMs === null ? '' : timeText(startedMs),
    EndTime: endedMs === null ? '' : timeText(endedMs),
    ErrorMsg: failure?.message ?? '',
    Status: record.status,
    Version: '0',
    BatchNo: String(record.batchId),
    SplitStatus: shards === null ? 'splitting' : 'ending',
  };
}

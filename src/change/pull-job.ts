/** The records that a full pull is made of: on `<ds>_ctrl` what is asked for, on `<ds>_data_shards` what is to be read. */
import { UmbusError } from '../core/errors.ts';

/** `type` of a control message that asks for a pull, and its key, as DBUS has them. */
export const PULL_REQUEST = 'FULL_DATA_INDEPENDENT_PULL_REQ';

/**
 * How a pull goes with the changes of its table: `watermark` publishes rows between them, for `blocking` they wait until it is over, `independent` writes rows to a topic of its own and leaves the stream alone.
 */
export type PullMode = (typeof PULL_MODES)[number];
export const PULL_MODES = ['watermark', 'blocking', 'independent'] as const;

/** A pull of one table. */
export interface PullJob {
  /** Name of the pull; at most 40 characters of letters, digits and `-`. */
  readonly pull: string;
  readonly schema: string;
  readonly table: string;
  /** One that `parseCondition` has passed; null: all rows. */
  readonly condition: string | null;
  /** Columns to cut by; [] leaves the choice. */
  readonly splitBy: readonly string[];
  /** Columns to pull; those of the key come with them. [] for all. */
  readonly columns: readonly string[];
  readonly shardRows: number;
  /** How it goes with the table's changes. */
  readonly mode: PullMode;
  /** Of an independent pull: the topic that its rows go to; null for others. */
  readonly to: string | null;
  /** When it was asked for, in milliseconds since 1970-01-01 UTC. */
  readonly askedMs: number;
}

/** A step of the splitter: shards from number `shard` on, behind a key. */
export interface SplitTask extends PullJob {
  readonly kind: 'split';
  /** The key that the last step ended with, as SQL literals; null at the start. */
  readonly after: readonly string[] | null;
  /** What the key is a value of ({@link ShardTask.cutBy}); null at the start. */
  readonly cutBy: string | null;
  readonly shard: number;
}

/** A shard, for whichever puller takes it. */
export interface ShardTask extends PullJob {
  readonly kind: 'shard';
  /** Its rows are behind the first key, up to and with the second, as SQL literals; null: no bound. */
  readonly after: readonly string[] | null;
  readonly upTo: readonly string[] | null;
  /** What these are values of, as `PullTable.cutBy` has it. */
  readonly cutBy: string;
  /** As `PullTable.keyed`. */
  readonly keyed: boolean;
  readonly shard: number;
}

/** A control message on `<ds>_ctrl`. */
export interface ControlMessage {
  readonly id: number;
  readonly type: string;
  readonly timestamp: string;
  readonly from: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Rows of a shard when nobody says. */
export const DEFAULT_SHARD_ROWS = 100_000;
/** The last millisecond that a Date can have. */
const MOST_MS = 8.64e15;
const NAME = /^[A-Za-z0-9-]{1,40}$/;

/** The control message that asks for a job: DBUS's members, and `UMBUS_PULL` with its name. */
export function pullRequest(job: PullJob): ControlMessage {
  return {
    id: job.askedMs,
    type: PULL_REQUEST,
    timestamp: new Date(job.askedMs).toISOString().replace('T', ' ').slice(0, 23),
    from: 'umbus',
    payload: {
      SEQNO: String(job.askedMs),
      SCHEMA_NAME: job.schema,
      TABLE_NAME: job.table,
      SPLIT_COL: job.splitBy.join(','),
      SPLIT_SHARD_SIZE: String(job.shardRows),
      INPUT_CONDITIONS: job.condition ?? '',
      PULL_TARGET_COLS: job.columns.join(','),
      UMBUS_PULL: job.pull,
      UMBUS_MODE: job.mode,
      resultTopic: job.to ?? '',
    },
  };
}

/**
 * The job that a control message asks for; null for a message of another type. Numbers may be text, as DBUS writes them; without a name of its own the pull is called by its number. An `id` that is no time counts as 0.
 * Errors: UMBUS_PULL_TABLE for a message that names no table.
 */
export function pullJobOf(message: ControlMessage): PullJob | null {
  if (message.type !== PULL_REQUEST) return null;
  const { payload } = message;
  const text = (name: string): string => {
    const value = payload[name];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  };
  const schema = text('SCHEMA_NAME');
  const table = text('TABLE_NAME');
  if (schema === '' || table === '') {
    throw new UmbusError(
      'UMBUS_PULL_TABLE',
      'A request for a full pull names no table: SCHEMA_NAME and TABLE_NAME.',
    );
  }
  const number = text('SEQNO') === '' ? String(message.id) : text('SEQNO');
  const name = text('UMBUS_PULL');
  const shardRows = Number(text('SPLIT_SHARD_SIZE'));
  const condition = text('INPUT_CONDITIONS');
  const askedMs = Number(message.id);
  const mode = PULL_MODES.find(each => each === text('UMBUS_MODE')) ?? 'watermark';
  return {
    pull: NAME.test(name) ? name : `p${number.replaceAll(/[^0-9A-Za-z-]/g, '').slice(0, 30)}`,
    schema,
    table,
    condition: condition.trim() === '' ? null : condition,
    splitBy: columnNames(text('SPLIT_COL')),
    columns: columnNames(text('PULL_TARGET_COLS')),
    mode,
    // Consoles of DBUS name one in any request.
    to: mode === 'independent' ? text('resultTopic') : null,
    shardRows: Number.isSafeInteger(shardRows) && shardRows > 0 ? shardRows : DEFAULT_SHARD_ROWS,
    askedMs: askedMs >= 0 && askedMs <= MOST_MS ? Math.trunc(askedMs) : 0,
  };
}

/** The names in a list that is divided by commas. */
export function columnNames(list: string): readonly string[] {
  return list
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '');
}

import type { FullName } from '../change/table-effects.ts';
import type { TupleBuffer } from '../ums/tuple-buffer.ts';
import type { TuplePrefix } from '../ums/tuple-prefix.ts';
import type { ChangeWatch } from './append-keys.ts';
import type { AppendOutput, AppendSettings } from './append-options.ts';
import type { RowPlacer } from './append-placing.ts';
import type { PullDesk } from './append-pull.ts';

/** Where the events of a record stand. */
export interface AppendSource {
  readonly epoch: number;
  /** '' for a page of a full pull, which has the place of its watermark. */
  readonly file: string;
  readonly fileNumber: number;
}

/** What all tables of a record share. */
export interface AppendShared {
  readonly settings: AppendSettings;
  readonly prefix: TuplePrefix;
  readonly placer: RowPlacer;
  readonly source: AppendSource;
  /** Whether readers of the line have a table. */
  readonly published: (name: FullName) => boolean;
  /** Partition of the record, where tables go when the settings do not say. */
  readonly partition: number;
  readonly outputs: AppendOutput[];
  /** Who is to know which rows change; null for nobody. */
  readonly watch: ChangeWatch | null;
  /** The full pulls of the task's tables; null where nobody pulls. */
  readonly pulls: PullDesk | null;
  /** Lends a buffer; it comes back at the end of the record. */
  readonly lend: () => TupleBuffer;
}

/**
 * Makes a message of a version of a table that holds none of its rows, such as a heartbeat; null for none. A statistic goes with the first of its copies.
 */
export type MakeBeat = (
  namespace: string,
) => (Pick<AppendOutput, 'key' | 'value'> & Partial<Pick<AppendOutput, 'headers' | 'stat'>>) | null;

/** Passes a message of a table on, or leaves it to a pull that holds the table's messages back. `key`: `schema.table`. */
export function send({ outputs, pulls }: AppendShared, key: string, output: AppendOutput): void {
  if (pulls === null || !pulls.holding.takes(key, output)) outputs.push(output);
}

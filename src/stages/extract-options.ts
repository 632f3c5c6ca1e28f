import type { ColumnWatch } from './extract-columns.ts';

/** What the extractor lands, and how much at a time. */
export interface ExtractOptions {
  /** Whether rows of a table are landed. Asked once for each table map; must not change while the processor lives. */
  readonly subscribed: (schema: string, table: string) => boolean;
  /** Tables of which inserted rows are landed whatever is subscribed; what else is done to them is left out. Default none. */
  readonly signal?: (schema: string, table: string) => boolean;
  /** Whether a schema has any subscribed table: its statements are landed, and must not carry rows. */
  readonly subscribedSchema: (schema: string) => boolean;
  /** What follows the columns of tables, where table maps do not name them; default: nobody, and such tables are landed as they are. */
  readonly columns?: ColumnWatch;
  /** False for a dump that is looked through and lands nothing, now or in an earlier connection; default true. */
  readonly lands?: false;
  /** A run is closed before it grows over this; an event that is larger is a run of its own. */
  readonly runBytes: number;
  /** Default 1 GB, the largest that a server can send. */
  readonly maxEventBytes?: number;
  /** Default 64 MB: so much of the source may pass without a landed event before an empty run says how far it was read. */
  readonly progressBytes?: number;
  /** Default 10 s: the same by time, when the source moved at all. */
  readonly progressMs?: number;
}

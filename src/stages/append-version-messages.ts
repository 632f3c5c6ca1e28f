import { Buffer } from 'node:buffer';
import type { FullName } from '../change/table-effects.ts';
import { umsIdOf, umsUidOf } from '../ums/ids.ts';
import { messageKey, type Termination, terminationMessage } from '../ums/message.ts';
import { namespaceOf, resultTopicOf, type TableName } from '../ums/namespace.ts';
import type { NoticeStatement, SchemaNotice, SourcePlace } from '../ums/schema-notice.ts';
import { noticeMessage, noticeTopicOf } from '../ums/schema-notice.ts';
import type { UmsNextVersion } from '../ums/types.ts';
import { type EventPlace, timeMsOf } from './append-event.ts';
import type { AppendOutput } from './append-options.ts';
import { wholePartition } from './append-placing.ts';
import type { AppendShared } from './append-shared.ts';
import type { TableState } from './append-state.ts';

const STATEMENT_CHARACTERS = 2_000;

/** What a notice says beside what the table's state says. */
export type Told = Pick<SchemaNotice, 'reason' | 'rows' | 'before' | 'after' | 'statements'> &
  Partial<Pick<SchemaNotice, 'from' | 'uid' | 'ts' | 'verdict' | 'changes' | 'renamedFrom' | 'renamedTo'>>;

/** What the end of a version says beside what the table's state says. */
export type VersionEnd = Pick<Termination, 'reason' | 'renamedTo' | 'renamedPart'> & {
  /** Default: that of the event. */
  readonly uid?: string;
  readonly next?: UmsNextVersion;
};

/** An event that the versions of a table see: where it stands, and its statement, if it is one. */
export interface VersionEvent {
  readonly place: EventPlace;
  /** '' for rows. */
  readonly sql: string;
}

/** The messages about the versions of a table, which are none of its rows: terminations and notices, and the places in the source that they name. */
export class VersionMessages {
  readonly #name: FullName;
  /** What its messages call it. */
  readonly #published: Required<TableName>;
  readonly #shared: AppendShared;
  readonly #push: (output: AppendOutput) => void;
  /** The partition of tables whose rows are all in one. */
  readonly home: number;

  constructor(
    name: FullName,
    published: Required<TableName>,
    shared: AppendShared,
    push: (output: AppendOutput) => void,
  ) {
    this.#name = name;
    this.#published = published;
    this.#shared = shared;
    this.#push = push;
    const placing = shared.settings.result(name.schema);
    this.home =
      placing === null ? shared.partition : wholePartition(name.schema, published.table, placing.partitions);
  }

  /** All partitions of the result topic, or the table's own. */
  partitions(everywhere: boolean): readonly number[] {
    const count = everywhere ? (this.#shared.settings.result(this.#name.schema)?.partitions ?? 0) : 0;
    return count === 0 ? [this.home] : Array.from({ length: count }, (_, partition) => partition);
  }

  /** Says on each partition that can have rows of the table that its version has ended. */
  terminate(event: VersionEvent, state: TableState, end: VersionEnd): void {
    const { settings } = this.#shared;
    const { version, placedBy, batch = 0 } = state;
    const { schema, table } = this.#published;
    const namespace = namespaceOf(settings.ds, this.#published, version);
    const placing = settings.result(schema);
    const everywhere = placing?.placeBy === 'primary-key' || placedBy !== undefined;
    const value = terminationMessage({
      namespace,
      time: this.time(event),
      uid: this.uidOf(event),
      batchId: batch,
      ...end,
      next: everywhere ? (end.next ?? null) : null,
    });
    const key = messageKey('data_increment_termination', namespace, timeMsOf(event.place), settings.ds);
    const topic = resultTopicOf(settings.ds, schema);
    for (const partition of this.partitions(everywhere))
      this.#push({ topic, schema, table, partition, key, value });
  }

  /** Tells of columns, or of what became of rows. */
  tell(event: VersionEvent, { version, innerVersion }: TableState, told: Told): void {
    const { ds } = this.#shared.settings;
    const { schema, table } = this.#name;
    const logical = this.#published.table;
    const value = noticeMessage({
      ds,
      schema,
      table,
      ...(logical !== table && { logical }),
      version,
      innerVersion,
      verdict: 'compatible',
      changes: [],
      ts: this.time(event),
      from: this.#placeOf(event),
      uid: this.uidOf(event),
      ...told,
    });
    const key = Buffer.from(`${schema}.${table}`);
    this.#push({ topic: noticeTopicOf(ds), notice: true, schema, table, partition: 0, key, value });
  }

  /** The statement of an event, and where it stands. */
  statementOf(event: VersionEvent): NoticeStatement {
    return { at: this.#placeOf(event), text: statementText(event.sql) };
  }

  #placeOf({ place }: VersionEvent): SourcePlace {
    const { epoch, file } = this.#shared.source;
    return { epoch, file, position: place.position };
  }

  /** The place of an event in the order of `ums_uid_`. */
  uidOf({ place }: VersionEvent): string {
    const { epoch, fileNumber } = this.#shared.source;
    return umsUidOf(epoch, umsIdOf(fileNumber, place.position), 0);
  }

  /** `ums_ts_` of an event. */
  time({ place }: VersionEvent): string {
    const { prefix } = this.#shared;
    prefix.time(place.seconds, place.micros);
    return prefix.timeText();
  }
}

/** The text of a statement, bounded; what a table takes to log in elsewhere (CONNECTION, PASSWORD) is left out. */
function statementText(sql: string): string {
  const shown = sql.replaceAll(
    /\b(CONNECTION|PASSWORD)(\s*=?\s*)('(?:[^'\\]|\\[\s\S]|'')*'?|"(?:[^"\\]|\\[\s\S]|"")*"?)/gi,
    "$1$2'******'",
  );
  return shown.length > STATEMENT_CHARACTERS ? `${shown.slice(0, STATEMENT_CHARACTERS - 1)}…` : shown;
}

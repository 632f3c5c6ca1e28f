import { Buffer } from 'node:buffer';
import { diffSchemas, type SchemaDiff } from '../change/schema-diff.ts';
import type { FullName } from '../change/table-effects.ts';
import { umsIdOf, umsUidOf } from '../ums/ids.ts';
import { messageKey, type Termination, terminationMessage } from '../ums/message.ts';
import { namespaceOf, ORDINARY_PART, publishedName, type TableName } from '../ums/namespace.ts';
import type { NoticeStatement, SchemaNotice, SourcePlace } from '../ums/schema-notice.ts';
import { noticeMessage, noticeTopicOf } from '../ums/schema-notice.ts';
import type { TableSchema } from '../ums/table-schema.ts';
import type { UmsNextVersion } from '../ums/types.ts';
import { nextVersion, type TableDecoder } from './append-decoders.ts';
import { type EventPlace, timeMsOf } from './append-event.ts';
import { keysChange, sameMasked } from './append-masked.ts';
import type { AppendOutput } from './append-options.ts';
import { wholePartition } from './append-placing.ts';
import type { AppendShared } from './append-shared.ts';
import {
  type PendingChange,
  RENAMES_MAX,
  type SetAside,
  STATEMENTS_MAX,
  sameNames,
  sameVersion,
  type TableState,
} from './append-state.ts';

const STATEMENT_CHARACTERS = 2_000;

/** What a notice says beside what the table's state says. */
type Told = Pick<SchemaNotice, 'reason' | 'rows' | 'before' | 'after' | 'statements'> &
  Partial<Pick<SchemaNotice, 'from' | 'uid' | 'ts' | 'verdict' | 'changes' | 'renamedFrom' | 'renamedTo'>>;

/** An event that the versions of a table see: where it stands, and its statement, if it is one. */
export interface VersionEvent {
  readonly place: EventPlace;
  /** '' for rows. */
  readonly sql: string;
}

/**
 * The versions of a table within one record: what ends one, what begins the next, and the notices of both. Rows that came before must be in messages already whenever a method is
 * called. What it writes depends on the state, the columns and the events alone.
 */
export class TableVersions {
  readonly #name: FullName;
  /** What its messages call it. */
  readonly #published: Required<TableName>;
  readonly #shared: AppendShared;
  readonly #home: number;
  readonly #push: (output: AppendOutput) => void;
  #state: TableState;
  #columns: TableSchema | null;

  constructor(
    name: FullName,
    { state, columns }: { readonly state: TableState; readonly columns: TableSchema | null },
    shared: AppendShared,
    push: (output: AppendOutput) => void,
  ) {
    this.#name = name;
    this.#published = publishedName(shared.settings.logical, name);
    this.#shared = shared;
    this.#state = state;
    this.#columns = columns;
    this.#push = push;
    const placing = shared.settings.result(name.schema);
    this.#home =
      placing === null
        ? shared.partition
        : wholePartition(name.schema, this.#published.table, placing.partitions);
  }

  get state(): TableState {
    return this.#state;
  }

  /** Columns as the newest notice has them; null for none. */
  get columns(): TableSchema | null {
    return this.#columns;
  }

  /** The partition of tables whose rows are all in one. */
  get home(): number {
    return this.#home;
  }

  /** All partitions of the result topic, or the table's own. */
  partitions(everywhere: boolean): readonly number[] {
    const count = everywhere ? (this.#shared.settings.result(this.#name.schema)?.partitions ?? 0) : 0;
    return count === 0 ? [this.#home] : Array.from({ length: count }, (_, partition) => partition);
  }

  /** Rows of these columns come next; `placedBy`: the columns that place them. Ends the version when it must. */
  begin(decoder: TableDecoder, placedBy: readonly string[] | undefined, place: EventPlace): void {
    const event = { place, sql: '' };
    this.settle(event);
    const before = this.#state;
    const sameColumns =
      before.fingerprint === decoder.fingerprint || sameVersion(before.columns, decoder.columns);
    const keys = [...decoder.writer.primaryKey, ...(placedBy ?? [])];
    const sameKeys = sameNames(before.placedBy, placedBy) && !keysChange(before.masked, decoder.masked, keys);
    if (before.fingerprint !== '' && !(sameColumns && sameKeys)) {
      this.#terminate(event, { reason: 'schema', next: nextVersion(decoder) });
    }
    this.#take(decoder, placedBy, event);
  }

  /** TRUNCATE or DROP: the rows are gone. */
  empty(reason: 'truncate' | 'drop', event: VersionEvent): void {
    this.settle(event);
    this.#terminate(event, { reason });
    const before = this.#columns;
    if (reason === 'drop') this.#leave();
    else this.#rowsGone();
    const after = this.#columns;
    const verdict = reason === 'drop' ? 'breaking' : 'compatible';
    this.#tell(event, {
      reason,
      rows: 'gone',
      before,
      after,
      verdict,
      statements: [this.#statementOf(event)],
    });
  }

  /** Rows went or came that no row event says. */
  reload(event: VersionEvent): void {
    this.settle(event);
    this.#terminate(event, { reason: 'reload' });
    const columns = this.#columns;
    const statements = [this.#statementOf(event)];
    this.#tell(event, {
      reason: 'reload',
      rows: 'unknown',
      before: columns,
      after: columns,
      verdict: 'breaking',
      statements,
    });
  }

  /** The table has another name from here on. `moved`: readers get its rows under that one. */
  rename(to: FullName, event: VersionEvent, moved: boolean): void {
    this.settle(event);
    this.#renameAt(to, event, this.#statementOf(event), null, moved);
  }

  /** A statement that may have changed the columns, or made the table: its next row shows them. */
  note(event: VersionEvent, more: Partial<Omit<PendingChange, 'at' | 'uid' | 'ts' | 'statements'>>): void {
    const { pending } = this.#state;
    const statement = this.#statementOf(event);
    const renames = [...(pending?.renames ?? []), ...(more.renames ?? [])].slice(0, RENAMES_MAX);
    this.#state = {
      ...this.#state,
      pending: {
        at: statement.at,
        uid: this.#uidOf(event),
        ts: this.#time(event),
        ...pending,
        ...more,
        renames,
        statements: [...(pending?.statements ?? []), statement].slice(-STATEMENTS_MAX),
      },
    };
  }

  /** Changes what has nothing to do with versions. */
  update(some: Partial<Pick<TableState, 'beats' | 'batch' | 'pulled'>>): void {
    this.#state = { ...this.#state, ...some };
  }

  /** The table went away before it had a row: what was noted holds no more. */
  forget(): void {
    const { pending, aside, beats, ...state } = this.#state;
    if (pending !== undefined || aside !== undefined || beats !== undefined) this.#state = state;
  }

  /** The table was put aside under another name; whether it was renamed shows what comes next. */
  putAside(to: FullName, event: VersionEvent): void {
    const { at, text } = this.#statementOf(event);
    const aside: SetAside = { to, at, uid: this.#uidOf(event), ts: this.#time(event), statement: text };
    this.#state = { ...this.#state, aside };
  }

  /** The table itself came back, or its copy took its place. */
  comeBack(): void {
    if (this.#state.aside === undefined) return;
    const { aside: _, ...state } = this.#state;
    this.#state = state;
  }

  /** Something else happens: what was put aside has been renamed after all. */
  settle(event: VersionEvent): void {
    const { aside } = this.#state;
    if (aside === undefined) return;
    this.comeBack();
    const published = this.#shared.published(aside.to);
    this.#renameAt(aside.to, event, { at: aside.at, text: aside.statement }, aside, published);
  }

  #renameAt(
    to: FullName,
    event: VersionEvent,
    statement: NoticeStatement,
    late: SetAside | null,
    published: boolean,
  ): void {
    const renamedTo = `${to.schema}.${to.table}`;
    const uid = late?.uid ?? this.#uidOf(event);
    this.#terminate(event, { reason: 'rename', uid, ...(published && this.#rowsNowIn(to)) });
    const before = this.#columns;
    this.#leave();
    this.#tell(event, {
      reason: 'rename',
      rows: published ? 'moved' : 'gone',
      before,
      after: null,
      verdict: 'breaking',
      statements: [statement],
      uid,
      ...(late !== null && { from: late.at, ts: late.ts }),
      renamedTo,
    });
  }

  /** Where readers have the rows of a table that is called so now. */
  #rowsNowIn(to: FullName): Pick<Termination, 'renamedTo' | 'renamedPart'> {
    const { schema, table, part } = publishedName(this.#shared.settings.logical, to);
    return { renamedTo: `${schema}.${table}`, ...(part !== ORDINARY_PART && { renamedPart: part }) };
  }

  /** Takes the columns over, and tells of them when the version or the columns are others. */
  #take(decoder: TableDecoder, placedBy: readonly string[] | undefined, event: VersionEvent): void {
    const { pending, placedBy: placedBefore, masked, fingerprint, ...state } = this.#state;
    const before = this.#columns;
    const asBefore =
      fingerprint === decoder.fingerprint &&
      sameNames(placedBefore, placedBy) &&
      sameMasked(masked, decoder.masked);
    if (asBefore && before !== null && pending === undefined) return;
    const diff: SchemaDiff =
      before === null
        ? { verdict: 'compatible', changes: [] }
        : diffSchemas(before, decoder.schema, pending?.renames);
    const fresh = before === null || diff.changes.length > 0;
    this.#state = {
      ...state,
      innerVersion: state.innerVersion + (fresh ? 1 : 0),
      fingerprint: decoder.fingerprint,
      columns: decoder.columns,
      ...(placedBy !== undefined && { placedBy }),
      ...(decoder.masked !== null && { masked: decoder.masked }),
    };
    this.#columns = fresh ? decoder.schema : before;
    const placed = fingerprint !== '' && !sameNames(placedBefore, placedBy);
    if (!fresh && !placed && pending?.renamedFrom === undefined) return;
    this.#tell(event, {
      reason: reasonOf(pending, before, diff),
      rows: pending?.rows ?? 'kept',
      before,
      after: decoder.schema,
      ...diff,
      statements: pending?.statements ?? [],
      ...(pending !== undefined && { from: pending.at, uid: pending.uid, ts: pending.ts }),
      ...(pending?.renamedFrom !== undefined && { renamedFrom: pending.renamedFrom }),
    });
  }

  /** What moved here with a renamed table is gone, too. */
  #rowsGone(): void {
    const { pending } = this.#state;
    if (pending?.rows === 'moved') this.#state = { ...this.#state, pending: { ...pending, rows: 'gone' } };
  }

  /** The next table of this name begins the version that is open, whatever its columns. */
  #leave(): void {
    const { pending: _, beats: __, ...state } = this.#state;
    this.#state = { ...state, fingerprint: '', columns: [] };
    this.#columns = null;
  }

  /** Says on each partition that can have rows of the table that the version has ended, and opens the next. */
  #terminate(
    event: VersionEvent,
    end: Pick<Termination, 'reason' | 'renamedTo' | 'renamedPart'> & {
      readonly uid?: string;
      readonly next?: UmsNextVersion;
    },
  ): void {
    const { settings } = this.#shared;
    const { version, placedBy } = this.#state;
    const { schema, table } = this.#published;
    const namespace = namespaceOf(settings.ds, this.#published, version);
    const placing = settings.result(schema);
    const everywhere = placing?.placeBy === 'primary-key' || placedBy !== undefined;
    const value = terminationMessage({
      namespace,
      time: this.#time(event),
      uid: this.#uidOf(event),
      batchId: this.#state.batch ?? 0,
      ...end,
      next: everywhere ? (end.next ?? null) : null,
    });
    const key = messageKey('data_increment_termination', namespace, timeMsOf(event.place), settings.ds);
    const topic = `${settings.ds}.${schema}.result`;
    for (const partition of this.partitions(everywhere))
      this.#push({ topic, schema, table, partition, key, value });
    this.#state = { ...this.#state, version: version + 1 };
  }

  #tell(event: VersionEvent, told: Told): void {
    const { ds } = this.#shared.settings;
    const { schema, table } = this.#name;
    const { version, innerVersion } = this.#state;
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
      ts: this.#time(event),
      from: this.#placeOf(event),
      uid: this.#uidOf(event),
      ...told,
    });
    const key = Buffer.from(`${schema}.${table}`);
    this.#push({ topic: noticeTopicOf(ds), notice: true, schema, table, partition: 0, key, value });
  }

  #statementOf(event: VersionEvent): NoticeStatement {
    return { at: this.#placeOf(event), text: statementText(event.sql) };
  }

  #placeOf({ place }: VersionEvent): SourcePlace {
    const { epoch, file } = this.#shared.source;
    return { epoch, file, position: place.position };
  }

  #uidOf({ place }: VersionEvent): string {
    const { epoch, fileNumber } = this.#shared.source;
    return umsUidOf(epoch, umsIdOf(fileNumber, place.position), 0);
  }

  #time({ place }: VersionEvent): string {
    const { prefix } = this.#shared;
    prefix.time(place.seconds, place.micros);
    return prefix.timeText();
  }
}

function reasonOf(
  pending: PendingChange | undefined,
  before: TableSchema | null,
  diff: SchemaDiff,
): SchemaNotice['reason'] {
  if (pending?.renamedFrom !== undefined) return pending.swap === true ? 'swap' : 'rename';
  if (before === null) return 'create';
  if (diff.changes.length === 0) return 'placing';
  return diff.changes.every(({ kind }) => kind === 'mask') ? 'mask' : 'alter';
}

/** The text of a statement, bounded; what a table takes to log in elsewhere (CONNECTION, PASSWORD) is left out. */
export function statementText(sql: string): string {
  const shown = sql.replaceAll(
    /\b(CONNECTION|PASSWORD)(\s*=?\s*)('(?:[^'\\]|\\[\s\S]|'')*'?|"(?:[^"\\]|\\[\s\S]|"")*"?)/gi,
    "$1$2'******'",
  );
  return shown.length > STATEMENT_CHARACTERS ? `${shown.slice(0, STATEMENT_CHARACTERS - 1)}…` : shown;
}

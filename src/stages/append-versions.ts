import { diffSchemas, type SchemaDiff } from '../change/schema-diff.ts';
import type { FullName } from '../change/table-effects.ts';
import type { Termination } from '../ums/message.ts';
import { ORDINARY_PART, publishedName } from '../ums/namespace.ts';
import type { NoticeStatement, SchemaNotice } from '../ums/schema-notice.ts';
import type { TableSchema } from '../ums/table-schema.ts';
import { nextVersion, type TableDecoder } from './append-decoders.ts';
import type { EventPlace } from './append-event.ts';
import { keysChange, sameMasked } from './append-masked.ts';
import type { AppendOutput } from './append-options.ts';
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
import { type VersionEnd, type VersionEvent, VersionMessages } from './append-version-messages.ts';

/**
 * The versions of a table within one record: what ends one, what begins the next, and the notices of both. Rows that came before must be in messages already whenever a method is
 * called. What it writes depends on the state, the columns and the events alone.
 */
export class TableVersions {
  readonly #shared: AppendShared;
  readonly #messages: VersionMessages;
  #state: TableState;
  #columns: TableSchema | null;

  constructor(
    name: FullName,
    { state, columns }: { readonly state: TableState; readonly columns: TableSchema | null },
    shared: AppendShared,
    push: (output: AppendOutput) => void,
  ) {
    this.#shared = shared;
    this.#state = state;
    this.#columns = columns;
    this.#messages = new VersionMessages(name, publishedName(shared.settings.logical, name), shared, push);
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
    return this.#messages.home;
  }

  /** All partitions of the result topic, or the table's own. */
  partitions(everywhere: boolean): readonly number[] {
    return this.#messages.partitions(everywhere);
  }

  /** Rows of these columns come next; `placedBy`: the columns that place them. Ends the version when it must. */
  begin(decoder: TableDecoder, placedBy: readonly string[] | undefined, place: EventPlace): void {
    const event = { place, sql: '' };
    this.settle(event);
    if (this.endsWith(decoder, placedBy)) {
      this.#terminate(event, { reason: 'schema', next: nextVersion(decoder) });
    }
    this.#take(decoder, placedBy, event);
  }

  /** Whether rows of these columns, placed so, are of another version than the one that is open. */
  endsWith(decoder: TableDecoder, placedBy: readonly string[] | undefined): boolean {
    const before = this.#state;
    const sameColumns =
      before.fingerprint === decoder.fingerprint || sameVersion(before.columns, decoder.columns);
    const keys = [...decoder.writer.primaryKey, ...(placedBy ?? [])];
    const sameKeys = sameNames(before.placedBy, placedBy) && !keysChange(before.masked, decoder.masked, keys);
    return before.fingerprint !== '' && !(sameColumns && sameKeys);
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
    this.#messages.tell(event, this.#state, {
      reason,
      rows: 'gone',
      before,
      after,
      verdict,
      statements: [this.#messages.statementOf(event)],
    });
  }

  /** Rows went or came that no row event says. */
  reload(event: VersionEvent): void {
    this.settle(event);
    this.#terminate(event, { reason: 'reload' });
    const columns = this.#columns;
    const statements = [this.#messages.statementOf(event)];
    this.#messages.tell(event, this.#state, {
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
    this.#renameAt(to, event, this.#messages.statementOf(event), null, moved);
  }

  /** A statement that may have changed the columns, or made the table: its next row shows them. */
  note(event: VersionEvent, more: Partial<Omit<PendingChange, 'at' | 'uid' | 'ts' | 'statements'>>): void {
    const { pending } = this.#state;
    const statement = this.#messages.statementOf(event);
    const renames = [...(pending?.renames ?? []), ...(more.renames ?? [])].slice(0, RENAMES_MAX);
    this.#state = {
      ...this.#state,
      pending: {
        at: statement.at,
        uid: this.#messages.uidOf(event),
        ts: this.#messages.time(event),
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
    const { at, text } = this.#messages.statementOf(event);
    const aside: SetAside = {
      to,
      at,
      uid: this.#messages.uidOf(event),
      ts: this.#messages.time(event),
      statement: text,
    };
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
    const uid = late?.uid ?? this.#messages.uidOf(event);
    this.#terminate(event, { reason: 'rename', uid, ...(published && this.#rowsNowIn(to)) });
    const before = this.#columns;
    this.#leave();
    this.#messages.tell(event, this.#state, {
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
    this.#messages.tell(event, this.#state, {
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

  /** Ends the version, and opens the next. */
  #terminate(event: VersionEvent, end: VersionEnd): void {
    this.#messages.terminate(event, this.#state, end);
    this.#state = { ...this.#state, version: this.#state.version + 1 };
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

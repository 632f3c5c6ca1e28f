import type { Buffer } from 'node:buffer';
import {
  EVENT_FLAGS_AT,
  EVENT_HEADER_BYTES,
  EVENT_TYPE_AT,
  EventType,
  FLAG_IGNORABLE,
} from '../binlog/event-type.ts';
import { isTwoPhaseAlter } from '../binlog/gtid-event.ts';
import { parseGtidList, parsePreviousGtids } from '../binlog/gtid-lists.ts';
import { PacketFramer } from '../binlog/packets.ts';
import { fileNumberOf, type Rotation } from '../binlog/rotate.ts';
import { isInsert } from '../binlog/rows/rows-event.ts';
import { type ColumnWatch, noColumns } from './extract-columns.ts';
import { InflatedEvents, isCompressed } from './extract-inflated.ts';
import { type ClosedRun, RunLander } from './extract-lander.ts';
import type { ExtractOptions } from './extract-options.ts';
import { type EventListener, EventReader } from './extract-reader.ts';
import { Rollbacks } from './extract-rollbacks.ts';
import { type SourceOpened, skipBound } from './extract-signal.ts';
import { PlaceSpace } from './extract-space.ts';
import {
  judgeStatement,
  plainKind,
  type StatementVerdict,
  statementFormatError,
} from './extract-statement.ts';
import { ExtractTables, type KnownTable } from './extract-tables.ts';
import { TransactionTracker } from './extract-transaction.ts';
import { isSilent, unreadEvent } from './extract-unread.ts';

/** `max_allowed_packet` at its most, which bounds a row, and room for what an event has beside. */
const DEFAULT_MAX_EVENT_BYTES = 2 ** 30 + 2 ** 20;

/** One dump of a binlog, from its bytes to runs. Pure: time comes in with each call. After an error it must be opened anew. */
export class DumpExtraction implements EventListener {
  readonly #options: ExtractOptions;
  readonly #framer: PacketFramer;
  readonly #reader: EventReader = new EventReader(this);
  readonly #tables: ExtractTables;
  readonly #transaction = new TransactionTracker();
  readonly #lander: RunLander;
  readonly #rollbacks: Rollbacks;
  readonly #space = new PlaceSpace();
  #moved = false; // whether events stand elsewhere than at their offsets
  readonly #inflated: InflatedEvents;
  readonly #columns: ColumnWatch;
  readonly #columnsOf = (table: KnownTable): string =>
    table.insertsOnly ? '' : this.#columns.columnsOf(table, this.#placeOf(this.position));
  #opened: SourceOpened | null = null;
  #begun = false;
  /** Events of the current file before this offset are landed already. */
  #skipBefore = 0;

  constructor(options: ExtractOptions) {
    this.#options = options;
    this.#framer = new PacketFramer({ maxEventBytes: options.maxEventBytes ?? DEFAULT_MAX_EVENT_BYTES });
    this.#tables = new ExtractTables(options.subscribed, options.signal);
    this.#inflated = new InflatedEvents(this.#tables, this.#space);
    this.#columns = options.columns ?? noColumns;
    const [reader, space] = [this.#reader, this.#space];
    this.#lander = new RunLander(options.runBytes, this.#transaction, {
      get file() {
        return reader.file;
      },
      get checksum() {
        return reader.checksum;
      },
      get lift() {
        return space.lift;
      },
      columns: () => this.#columns.takeChanges(),
    });
    this.#rollbacks = new Rollbacks(this.#lander);
  }

  /** Begins anew; what was not closed is forgotten. Errors: UMBUS_SOURCE_PROTOCOL. */
  open(signal: SourceOpened): void {
    this.#opened = signal;
    this.#begun = false;
    this.#framer.reset();
    this.#reader.reset(signal.from);
    this.#tables.clear();
    this.#transaction.reset(signal.server.flavor, signal.from.gtid);
    this.#columns.open(signal);
    this.#lander.reset(signal);
    const { skipBefore, from, epoch } = signal;
    this.#rollbacks.reset(this.#options.lands !== false && (skipBefore !== null || epoch > 1));
    this.#space.reset(skipBefore?.file === from.file ? skipBefore.position : 0, from.position);
    this.#moved = this.#space.moved;
  }

  /** Takes the next bytes. Errors: UMBUS_BINLOG_*, UMBUS_SOURCE_*; what was read before the bad event can still be closed and taken. */
  read(bytes: Uint8Array, nowMs: number): void {
    this.#lander.capturedMicros = Math.round(nowMs * 1000);
    this.#framer.push(bytes, this.#reader);
    this.#rollbacks.check();
  }

  /** Runs that are closed and not yet taken, in order. */
  takeClosed(): readonly ClosedRun[] {
    return this.#lander.takeClosed();
  }

  /** Closes the open run when it has events. Within a transaction it stays open, so that a rollback can still empty it: the rest is on its way. */
  closeRun(nowMs: number): void {
    if (!this.#transaction.open) this.closeAll(nowMs);
  }

  /** Closes the open run when it has events, also within a transaction: for when nothing more comes. */
  closeAll(nowMs: number): void {
    this.#lander.capturedMicros = Math.round(nowMs * 1000);
    this.#lander.close(this.position);
  }

  /** Forgets the open run. */
  discardRun(): void {
    this.#lander.discard();
  }

  /** Closes a run without events, when the open run has none and anything new was seen. */
  closeProgress(nowMs: number): void {
    this.#lander.capturedMicros = Math.round(nowMs * 1000);
    this.#lander.closeProgress(this.position);
  }

  /** File being read; '' before the server has named it. */
  get file(): string {
    return this.#reader.file;
  }

  /** Place after the last event seen: its file offset, unless compressed events came before it. */
  get position(): number {
    return this.#space.placeOf(this.#reader.position);
  }

  /** File offset after the last event seen. */
  get offset(): number {
    return this.#reader.position;
  }

  /** For the reader. A run holds events of one file only. */
  fileEnded(): void {
    this.#lander.close(this.position);
  }

  /** For the reader. A dump with nothing before it in the topic lands where it begins: a crash before the first change must not move the start. */
  rotated(to: Rotation): void {
    const fileNumber = fileNumberOf(to.file);
    if (!this.#begun || fileNumber !== this.#lander.fileNumber) {
      if (this.#begun) {
        this.#space.reset(0, 0);
        this.#moved = false;
      }
      this.#lander.fileNumber = fileNumber;
      this.#lander.leaveFile();
      this.#tables.clear();
    }
    this.#skipBefore = skipBound(this.#opened?.skipBefore ?? null, fileNumber);
    if (!this.#begun && this.#opened?.skipBefore === null) this.#lander.closeStart(to.position);
    this.#begun = true;
  }

  /** For the reader. */
  fileEvent(
    type: number,
    bytes: Buffer,
    view: DataView,
    start: number,
    bodyEnd: number,
    end: number,
    position: number,
  ): void {
    this.#rollbacks.check();
    if (this.#moved) {
      this.#movedEvent(type, bytes, start, bodyEnd, end, position);
      return;
    }
    const isNew = position >= this.#skipBefore;
    switch (type) {
      case EventType.TABLE_MAP:
        this.#tables.see(bytes, view, start + EVENT_HEADER_BYTES, bodyEnd);
        break;
      case EventType.WRITE_ROWS_V1:
      case EventType.UPDATE_ROWS_V1:
      case EventType.DELETE_ROWS_V1:
      case EventType.WRITE_ROWS:
      case EventType.UPDATE_ROWS:
      case EventType.DELETE_ROWS:
      case EventType.PARTIAL_UPDATE_ROWS: {
        const table = this.#tableOf(type, view, start, bodyEnd, isNew);
        if (table !== null) {
          this.#lander.land(bytes, view, start, end, position, this.#tables.shared(table, this.#columnsOf));
        }
        break;
      }
      case EventType.XA_PREPARE:
        this.#rollbacks.prepared();
        this.#transaction.end();
        break;
      case EventType.XID:
        this.#transaction.end();
        break;
      case EventType.GTID:
      case EventType.ANONYMOUS_GTID:
      case EventType.GTID_TAGGED:
      case EventType.MARIADB_GTID:
        this.#tables.trim();
        this.#transaction.begin(bytes, view, start, bodyEnd, end, position);
        this.#lander.beginTransaction();
        this.#rollbacks.begin();
        break;
      case EventType.QUERY:
        this.#query(bytes, view, start, bodyEnd, end, position);
        break;
      default:
        if (isCompressed(type)) {
          this.#movedEvent(type, bytes, start, bodyEnd, end, position);
          return;
        }
        this.#rareEvent(type, bytes, view, start, bodyEnd, end, position);
    }
    if (isNew) this.#lander.saw(position);
  }

  /** An event that does not stand at its offset, or what a compressed one holds. */
  #movedEvent(
    type: number,
    bytes: Buffer,
    start: number,
    bodyEnd: number,
    end: number,
    position: number,
  ): void {
    this.#moved = false; // what is passed on stands where it says
    for (const event of this.#inflated.of(type, bytes, start, bodyEnd, position, this.#reader.checksum)) {
      const { bytes: placed, bodyEnd: placedEnd, place } = event;
      const view = new DataView(placed.buffer, placed.byteOffset, placed.length);
      this.fileEvent(view.getUint8(EVENT_TYPE_AT), placed, view, 0, placedEnd, placed.length, place);
    }
    if (!this.#transaction.open) this.#endPlaces(position + end - start);
    this.#moved = this.#space.moved;
  }

  /** No transaction is open behind `next`, an offset of the file. */
  #endPlaces(next: number): void {
    const { lift } = this.#space;
    this.#space.endTransaction(next);
    // Events of a run have 32 bits to say where they stand.
    if (this.#space.lift !== lift) this.#lander.close(this.#space.placeOf(next));
  }

  #rareEvent(
    type: number,
    bytes: Buffer,
    view: DataView,
    start: number,
    bodyEnd: number,
    end: number,
    position: number,
  ): void {
    const body = start + EVENT_HEADER_BYTES;
    switch (type) {
      case EventType.FORMAT_DESCRIPTION:
        return;
      case EventType.ROTATE:
        this.#lander.close(position);
        return;
      case EventType.PREVIOUS_GTIDS:
        this.#transaction.learn(parsePreviousGtids(bytes, body, bodyEnd));
        return;
      case EventType.MARIADB_GTID_LIST:
        this.#transaction.learn(parseGtidList(bytes, body, bodyEnd));
        return;
      case EventType.EXECUTE_LOAD_QUERY:
        this.#statement(type, bytes, view, start, bodyEnd, end, position);
        return;
      default: {
        const ignorable = (view.getUint16(start + EVENT_FLAGS_AT, true) & FLAG_IGNORABLE) !== 0;
        if (!isSilent(type) && !ignorable) throw unreadEvent(type, this.#placeOf(position));
      }
    }
  }

  /** The table of a row event that is to be landed; null when it is not. */
  #tableOf(type: number, view: DataView, start: number, bodyEnd: number, isNew: boolean): KnownTable | null {
    const table = this.#tables.ofRows(view, start + EVENT_HEADER_BYTES, bodyEnd);
    if (table === null) return null;
    const wanted = table.subscribed && !(table.insertsOnly && !isInsert(type));
    if (wanted && isNew) return table;
    if (wanted) this.#lander.sawLanded();
    else if (isNew) this.#lander.filter();
    return null;
  }

  #query(bytes: Buffer, view: DataView, start: number, bodyEnd: number, end: number, position: number): void {
    if (this.#bounds(plainKind(view, start + EVENT_HEADER_BYTES, bodyEnd), position)) return;
    this.#statement(EventType.QUERY, bytes, view, start, bodyEnd, end, position);
  }

  /** Begins or ends a transaction where a statement is of that kind. */
  #bounds(kind: StatementVerdict['kind'] | null, position: number): boolean {
    if (kind === 'end') this.#transaction.end();
    else if (kind !== 'begin') return false;
    else {
      if (!this.#transaction.open) this.#rollbacks.begin();
      this.#transaction.beginExplicit(position);
    }
    return true;
  }

  #statement(
    type: number,
    bytes: Buffer,
    view: DataView,
    start: number,
    bodyEnd: number,
    end: number,
    position: number,
  ): void {
    const body = start + EVENT_HEADER_BYTES;
    const statement = judgeStatement(type, bytes, body, bodyEnd, this.#options.subscribedSchema);
    const { kind, schemas } = statement;
    if (this.#bounds(kind, position)) return;
    switch (kind) {
      case 'data':
      case 'definition':
        if (schemas[0] !== undefined && position >= this.#skipBefore) {
          if (kind === 'data') throw statementFormatError(schemas[0], this.#placeOf(position));
          if (type !== EventType.QUERY) throw unreadEvent(type, this.#placeOf(position));
          const tables = schemas.map(schema => this.#tables.statements(schema));
          this.#lander.landForEach(bytes, view, start, end, position, tables);
        }
        if (kind === 'definition' && position >= this.#skipBefore) this.#define(statement, position);
        this.#transaction.statement();
        return;
      default:
        if (this.#rollbacks.statement(statement, position >= this.#skipBefore, this.#placeOf(position))) {
          this.#transaction.end();
        }
    }
  }

  /** After the statement was landed, so that the run that holds it is the first to be closed with what it changes. */
  #define(verdict: StatementVerdict, position: number): void {
    const { gtid, gtidBytes } = this.#transaction;
    const inPhases = isTwoPhaseAlter(gtid, gtidBytes, this.#reader.checksum);
    const statement = { ...verdict, place: this.#placeOf(position), inPhases };
    if (this.#columns.statement(statement)) this.#tables.clear();
  }

  #placeOf(position: number): string {
    return `${this.#reader.file}:${position}`;
  }
}

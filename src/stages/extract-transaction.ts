import { Buffer } from 'node:buffer';
import { EVENT_HEADER_BYTES, EVENT_SERVER_ID_AT, EVENT_TYPE_AT, EventType } from '../binlog/event-type.ts';
import type { GnoIntervals } from '../binlog/gno-intervals.ts';
import {
  GTID_GNO_AT,
  GTID_UUID_AT,
  MARIADB_DOMAIN_AT,
  MARIADB_FLAG_STANDALONE,
  MARIADB_FLAGS_AT,
  MARIADB_GTID_BYTES,
  parseGtidEvent,
  uuidText,
} from '../binlog/gtid-event.ts';
import { MariadbGtidPosition, MysqlGtidSet, parseGtidSet } from '../binlog/gtid-set.ts';
import { UmbusError } from '../core/errors.ts';

const UUID_BYTES = 16;
const MYSQL_GTID_BYTES = GTID_GNO_AT + 8;
const HIGH = 0x1_0000_0000;

/**
 * Which transaction is open, where it began, and what was executed before it.
 *
 *     closed ──GTID──▶ open, first event to come ──BEGIN──▶ open, explicit ──XID, COMMIT, ROLLBACK, XA PREPARE──▶ closed
 *                                │ any other statement: it is the whole transaction
 *                                ╰──────────────────────────────────────────────▶ closed
 *
 * BEGIN opens too when no GTID came before it. A MariaDB GTID that is not standalone means BEGIN.
 */
export class TransactionTracker {
  #executed: MysqlGtidSet | MariadbGtidPosition = new MysqlGtidSet();
  /** False while only a part of what was executed is known: a dump from the middle of a file without a GTID set. */
  #complete = false;
  #open = false;
  #explicit = false;
  #start = 0;
  #gtid: Buffer = Buffer.alloc(256);
  #gtidView = new DataView(this.#gtid.buffer, this.#gtid.byteOffset, this.#gtid.length);
  #gtidBytes = 0;
  /** What becomes executed when the transaction ends: of MySQL, numbers to add one to; of MariaDB, the three parts of a GTID. */
  #intervals: GnoIntervals | null = null;
  #gno = 0;
  #domain = -1;
  #serverId = 0;
  #uuid: Buffer = Buffer.alloc(UUID_BYTES);
  #uuidView = new DataView(this.#uuid.buffer, this.#uuid.byteOffset, UUID_BYTES);
  #uuidIntervals: GnoIntervals | null = null;

  /** Begins anew. `gtid`: what was executed before the dump's start, '' when that is not known. Errors: UMBUS_SOURCE_PROTOCOL. */
  reset(flavor: 'mysql' | 'mariadb', gtid: string): void {
    this.#executed = parseGtidSet(flavor, gtid);
    this.#complete = gtid !== '';
    this.#open = false;
    this.#gtidBytes = 0;
    this.#forget();
    this.#uuidIntervals = null;
  }

  get open(): boolean {
    return this.#open;
  }

  /** File offset of the open transaction's first event. */
  get start(): number {
    return this.#start;
  }

  /** The whole event that began the open transaction: `[0, gtidBytes)` of `gtid`. 0 when it began without one. */
  get gtidBytes(): number {
    return this.#gtidBytes;
  }
  get gtid(): Buffer {
    return this.#gtid;
  }
  get gtidView(): DataView {
    return this.#gtidView;
  }

  /** What was executed before the open transaction, or up to now when none is open; '' when not known. */
  get executed(): string {
    return this.#complete ? this.#executed.toString() : '';
  }

  /** PREVIOUS_GTIDS or GTID_LIST at the start of a file: from there on everything is known. Errors: UMBUS_SOURCE_PROTOCOL for the other flavor's. */
  learn(before: MysqlGtidSet | MariadbGtidPosition): void {
    const executed = this.#executed;
    if (executed instanceof MysqlGtidSet && before instanceof MysqlGtidSet) executed.addAll(before);
    else if (executed instanceof MariadbGtidPosition && before instanceof MariadbGtidPosition) {
      executed.addAll(before);
    } else throw otherFlavor();
    this.#complete = true;
  }

  /** GTID, ANONYMOUS_GTID, GTID_TAGGED or MARIADB_GTID: `[start, end)` with header, `bodyEnd` without checksum. `position`: its file offset. */
  begin(bytes: Buffer, view: DataView, start: number, bodyEnd: number, end: number, position: number): void {
    if (this.#open) this.end();
    const type = view.getUint8(start + EVENT_TYPE_AT);
    if (type === EventType.MARIADB_GTID) this.#takeMariadb(view, start, bodyEnd);
    else if (type === EventType.GTID) this.#takeMysql(bytes, view, start, bodyEnd);
    else this.#takeOther(bytes, start, bodyEnd);
    this.#open = true;
    this.#start = position;
    this.#keepEvent(bytes, start, end);
  }

  /** BEGIN or XA START. */
  beginExplicit(position: number): void {
    if (!this.#open) {
      this.#open = true;
      this.#start = position;
      this.#gtidBytes = 0;
    }
    this.#explicit = true;
  }

  /** A statement that is none of BEGIN, COMMIT and their kin: ends a transaction that has no BEGIN. */
  statement(): void {
    if (this.#open && !this.#explicit) this.end();
  }

  /** The transaction is over: it counts as executed. */
  end(): void {
    if (this.#intervals !== null) this.#intervals.add(this.#gno);
    else if (this.#domain >= 0 && this.#executed instanceof MariadbGtidPosition) {
      this.#executed.set(this.#domain, this.#serverId, this.#gno);
    }
    this.#open = false;
    this.#gtidBytes = 0;
    this.#forget();
  }

  #forget(): void {
    this.#explicit = false;
    this.#intervals = null;
    this.#domain = -1;
  }

  #takeMysql(bytes: Buffer, view: DataView, start: number, bodyEnd: number): void {
    const body = start + EVENT_HEADER_BYTES;
    if (bodyEnd - body < MYSQL_GTID_BYTES) throw truncated();
    if (this.#uuidIntervals === null || !this.#isLastUuid(view, body + GTID_UUID_AT)) {
      const executed = this.#executed;
      if (!(executed instanceof MysqlGtidSet)) throw otherFlavor();
      bytes.copy(this.#uuid, 0, body + GTID_UUID_AT, body + GTID_UUID_AT + UUID_BYTES);
      this.#uuidIntervals = executed.intervals(uuidText(this.#uuid, 0), '');
    }
    this.#intervals = this.#uuidIntervals;
    this.#gno = safeUint64(view, body + GTID_GNO_AT);
    this.#explicit = false;
  }

  #isLastUuid(view: DataView, at: number): boolean {
    const last = this.#uuidView;
    return (
      last.getInt32(0) === view.getInt32(at) &&
      last.getInt32(4) === view.getInt32(at + 4) &&
      last.getInt32(8) === view.getInt32(at + 8) &&
      last.getInt32(12) === view.getInt32(at + 12)
    );
  }

  #takeMariadb(view: DataView, start: number, bodyEnd: number): void {
    const body = start + EVENT_HEADER_BYTES;
    if (bodyEnd - body < MARIADB_GTID_BYTES) throw truncated();
    if (!(this.#executed instanceof MariadbGtidPosition)) throw otherFlavor();
    this.#gno = safeUint64(view, body);
    this.#domain = view.getUint32(body + MARIADB_DOMAIN_AT, true);
    this.#serverId = view.getUint32(start + EVENT_SERVER_ID_AT, true);
    this.#explicit = (view.getUint8(body + MARIADB_FLAGS_AT) & MARIADB_FLAG_STANDALONE) === 0;
  }

  #takeOther(bytes: Buffer, start: number, bodyEnd: number): void {
    const event = parseGtidEvent(bytes, start, bodyEnd);
    const executed = this.#executed;
    if (event?.flavor !== 'mysql' || !(executed instanceof MysqlGtidSet)) throw otherFlavor();
    this.#intervals = event.uuid === null ? null : executed.intervals(event.uuid, event.tag);
    this.#gno = event.gno;
    this.#explicit = false;
  }

  #keepEvent(bytes: Buffer, start: number, end: number): void {
    const size = end - start;
    if (size > this.#gtid.length) {
      this.#gtid = Buffer.alloc(size);
      this.#gtidView = new DataView(this.#gtid.buffer, this.#gtid.byteOffset, size);
    }
    bytes.copy(this.#gtid, 0, start, end);
    this.#gtidBytes = size;
  }
}

function safeUint64(view: DataView, at: number): number {
  const value = view.getUint32(at + 4, true) * HIGH + view.getUint32(at, true);
  if (value <= Number.MAX_SAFE_INTEGER) return value;
  throw new UmbusError('UMBUS_SOURCE_PROTOCOL', 'A GTID has a number beyond 2^53.');
}

function truncated(): UmbusError {
  return new UmbusError('UMBUS_BINLOG_TRUNCATED', 'The GTID event ends before its fields do.');
}

function otherFlavor(): UmbusError {
  return new UmbusError(
    'UMBUS_SOURCE_PROTOCOL',
    'The binlog has GTID events of another kind of server than the one that was connected to.',
  );
}

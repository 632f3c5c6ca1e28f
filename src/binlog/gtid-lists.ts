import { Cursor } from './cursor.ts';
import { uuidText, varint } from './gtid-event.ts';
import { MariadbGtidPosition, MysqlGtidSet } from './gtid-set.ts';

/** The form of PREVIOUS_GTIDS that has tags, in its first and eighth byte. */
const TAGGED_FORMAT = 1;
const COUNT_MASK = 0x0fffffff;

/**
 * Parses the body of a PREVIOUS_GTIDS event, which begins each file of MySQL: all that was executed before it. `[start, end)` of `bytes`, without header
 * and checksum. Format: MySQL source documentation, `Gtid_set::encode`. Errors: UMBUS_BINLOG_TRUNCATED.
 */
export function parsePreviousGtids(bytes: Uint8Array, start: number, end: number): MysqlGtidSet {
  const cursor = new Cursor(bytes, 'The PREVIOUS_GTIDS event', 'UMBUS_BINLOG_TRUNCATED', start, end);
  const head = cursor.uint64('the source count');
  const tagged = head >> 56n === BigInt(TAGGED_FORMAT);
  const sources = tagged ? (head >> 8n) & 0xffff_ffff_ffffn : head;
  const set = new MysqlGtidSet();
  for (let i = 0n; i < sources; i++) {
    const uuid = uuidText(cursor.bytes, cursor.take(16, 'a uuid'));
    const tag = tagged ? cursor.text(varint(cursor), 'a tag') : '';
    const intervals = set.intervals(uuid, tag);
    const count = cursor.uint64('an interval count');
    for (let j = 0n; j < count; j++) {
      const first = Number(cursor.uint64('an interval'));
      const after = Number(cursor.uint64('an interval'));
      if (first < 1 || after <= first || !Number.isSafeInteger(after))
        throw cursor.fault('has a bad interval');
      intervals.addRange(first, after - 1);
    }
  }
  return set;
}

/**
 * Parses the body of a GTID_LIST event, which begins each file of MariaDB: the last transaction of each domain and server before it; the last entry of a
 * domain counts. Arguments as in {@link parsePreviousGtids}. Format: MariaDB knowledge base, "GTID_LIST_EVENT". Errors: UMBUS_BINLOG_TRUNCATED.
 */
export function parseGtidList(bytes: Uint8Array, start: number, end: number): MariadbGtidPosition {
  const cursor = new Cursor(bytes, 'The GTID_LIST event', 'UMBUS_BINLOG_TRUNCATED', start, end);
  const count = cursor.uint(4, 'the count') & COUNT_MASK;
  const position = new MariadbGtidPosition();
  for (let i = 0; i < count; i++) {
    const domain = cursor.uint(4, 'a domain');
    const serverId = cursor.uint(4, 'a server id');
    const sequence = cursor.uint64('a sequence number');
    if (sequence > BigInt(Number.MAX_SAFE_INTEGER)) throw cursor.fault('has a sequence number beyond 2^53');
    position.set(domain, serverId, Number(sequence));
  }
  return position;
}

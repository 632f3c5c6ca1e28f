import { Buffer } from 'node:buffer';
import type { GnoIntervals } from './gno-intervals.ts';
import type { MysqlGtidSet } from './gtid-set.ts';

/**
 * The binary form of a MySQL GTID set, for COM_BINLOG_DUMP_GTID. Source: the payload of the PREVIOUS_GTIDS event in the MySQL source documentation, whose
 * encoding the command shares.
 *
 *     without tags:  count u64, then for each uuid: 16 bytes, intervals
 *     with tags:     1, count u48, 1, then for each uuid and tag: 16 bytes, tag length * 2, tag, intervals
 *     intervals:     count u64, then start u64 and end u64 (exclusive)
 *
 * All integers are little-endian.
 */
export function encodeGtidSet(set: MysqlGtidSet): Buffer {
  const sources = [...set.sources()];
  const tagged = sources.some(source => source.tag !== '');
  const head = Buffer.alloc(8);
  if (tagged) {
    head[0] = 1;
    head.writeUIntLE(sources.length, 1, 6);
    head[7] = 1;
  } else {
    head.writeBigUInt64LE(BigInt(sources.length), 0);
  }
  const parts = sources.flatMap(({ uuid, tag, intervals }) => [
    Buffer.from(uuid.replaceAll('-', ''), 'hex'),
    tagged ? Buffer.from([tag.length * 2, ...Buffer.from(tag, 'latin1')]) : Buffer.alloc(0),
    encodeIntervals(intervals),
  ]);
  return Buffer.concat([head, ...parts]);
}

function encodeIntervals(intervals: GnoIntervals): Buffer {
  const bytes = Buffer.alloc(8 + 16 * intervals.count);
  bytes.writeBigUInt64LE(BigInt(intervals.count), 0);
  let at = 8;
  for (const [first, last] of intervals.ranges()) {
    bytes.writeBigUInt64LE(BigInt(first), at);
    bytes.writeBigUInt64LE(BigInt(last) + 1n, at + 8);
    at += 16;
  }
  return bytes;
}

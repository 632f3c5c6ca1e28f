/**
 * `seq`: the total order of a data line, as bytes that compare as the order does (DESIGN: positions are total).
 *
 *     epoch u32 · binlog file number u32 · event start u64 · then one u32 ordinal for each hop
 *
 * All numbers big-endian. A record's seq is that of the last event in it. A stage that makes records from one input
 * record appends the ordinal of each, so a replay gives every record the same seq, and the records of one lane
 * (one producer task to one partition) have strictly increasing seqs of equal length.
 */
import { Buffer } from 'node:buffer';

/** Bytes of a seq before any hop ordinal. */
export const SEQ_BASE_BYTES = 16;

/** Where an event stands in a line. `position` is the file offset of the event's first byte, beyond 4 GB too. */
export interface EventPlace {
  readonly epoch: number;
  readonly fileNumber: number;
  readonly position: number;
}

/** The seq of an event, without ordinals. */
export function seqOf(place: EventPlace): Buffer {
  const seq = Buffer.allocUnsafe(SEQ_BASE_BYTES);
  seq.writeUInt32BE(place.epoch, 0);
  seq.writeUInt32BE(place.fileNumber, 4);
  seq.writeUInt32BE(Math.floor(place.position / 0x1_0000_0000), 8);
  seq.writeUInt32BE(place.position % 0x1_0000_0000, 12);
  return seq;
}

/** Reads back the event place of a seq of any length. */
export function placeOf(seq: Uint8Array): EventPlace {
  const bytes = Buffer.from(seq.buffer, seq.byteOffset, seq.byteLength);
  return {
    epoch: bytes.readUInt32BE(0),
    fileNumber: bytes.readUInt32BE(4),
    position: bytes.readUInt32BE(8) * 0x1_0000_0000 + bytes.readUInt32BE(12),
  };
}

/**
 * Avro data in Confluent wire format: a zero byte, the schema id as u32 big-endian, Avro binary.
 * Source of the format: the wire format page of Confluent's Schema Registry documentation.
 */
import { Buffer } from 'node:buffer';

/** Bytes before the Avro data. */
export const FRAME_HEADER_BYTES = 5;

/** What can write a record; avsc's types do. */
export interface FrameType {
  /** Gives the end, or minus the bytes that are missing. */
  encode(value: unknown, target: Buffer, at: number): number;
}

/** The schema id of a record value; null when the value is not in Confluent wire format. */
export function schemaIdOf(value: Uint8Array): number | null {
  if (value.length < FRAME_HEADER_BYTES || value[0] !== 0) return null;
  return new DataView(value.buffer, value.byteOffset, value.byteLength).getUint32(1);
}

/** Record values one after the other in memory of their own, their schema id still to be set by {@link stampSchemaId}. */
export function encodeFrames(
  type: FrameType,
  values: Iterable<unknown>,
  roomBytes: number,
): readonly Buffer[] {
  let memory = Buffer.allocUnsafeSlow(roomBytes);
  const ends: number[] = [];
  let at = 0;
  for (const value of values) {
    for (;;) {
      const from = at + FRAME_HEADER_BYTES;
      const end = from > memory.length ? memory.length - from : type.encode(value, memory, from);
      if (end >= 0) {
        memory.fill(0, at, from);
        at = end;
        break;
      }
      const larger = Buffer.allocUnsafeSlow(2 * (memory.length - end));
      memory.copy(larger, 0, 0, at);
      memory = larger;
    }
    ends.push(at);
  }
  return ends.map((end, index) => memory.subarray(ends[index - 1] ?? 0, end));
}

/** Writes the schema id into the headers of record values. */
export function stampSchemaId(frames: readonly Buffer[], id: number): void {
  for (const frame of frames) frame.writeUInt32BE(id, 1);
}

import { Buffer } from 'node:buffer';
import type { LogRecord } from '../ports/log.ts';

/** Ordinals end here: they are u32. */
export const MAX_ORDINAL = 0xffff_ffff;

/**
 * The input record in hand, and the place of its outputs in their lane. Outside a record `record` is null, and outputs follow those of the
 * last one. A task has one, mutable; each asynchronous call has its own.
 */
export interface InputPlace {
  /** '' outside a record. */
  topic: string;
  partition: number;
  /** -1 outside a record. */
  offset: bigint;
  record: LogRecord | null;
  lane: Uint8Array;
  seq: Uint8Array;
  /** Of the next output. */
  ordinal: number;
  /** Ordinals from here on belong to others. */
  ordinalEnd: number;
}

/** The seq of a record from outside: its offset as u64 big-endian. */
export function seqOfOffset(offset: bigint): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64BE(offset);
  return bytes;
}

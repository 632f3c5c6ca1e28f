import { Buffer } from 'node:buffer';
import { UmbusError } from '../core/errors.ts';

/**
 * Which events of a raw record were parked, without the events: the value of a dead letter of a table that has masks, since the events hold plain values. The record is named by the
 * letter's headers `dead.topic`, `dead.partition` and `dead.offset` (ums-schema/README.md, "Dead letters").
 */
export interface ParkedReference {
  /** Of the raw run, to know it by. */
  readonly file: string;
  readonly position: number;
  readonly epoch: number;
  /** Events of the table: row events and statements. */
  readonly events: number;
  readonly pieces: readonly ParkedPiece[];
}

/** Whole events of one span of a run. */
export interface ParkedPiece {
  /** Index into the run's tables. */
  readonly table: number;
  /** Offsets in the run's events. */
  readonly start: number;
  readonly end: number;
  /** The event that began the transaction; empty when the run has none before the piece. */
  readonly transactionStart: number;
  readonly transactionEnd: number;
}

const KIND = 'umbus.ParkedReference';

/** The reference as the value of a record: JSON in UTF-8. */
export function encodeReference({ file, position, epoch, events, pieces }: ParkedReference): Buffer {
  const numbers = pieces.map(each => [
    each.table,
    each.start,
    each.end,
    each.transactionStart,
    each.transactionEnd,
  ]);
  return Buffer.from(JSON.stringify({ kind: KIND, file, position, epoch, events, pieces: numbers }), 'utf8');
}

/** The reference that a value is; null when it is something else. Errors: UMBUS_TOPOLOGY_DECODE for a damaged one. */
export function decodeReference(value: Uint8Array): ParkedReference | null {
  if (value[0] !== 0x7b) return null;
  let read: unknown;
  try {
    read = JSON.parse(Buffer.from(value).toString('utf8'));
  } catch {
    // Not JSON after all.
    return null;
  }
  // Looked at member by member below.
  const { kind, file, position, epoch, events, pieces } = read as Readonly<Record<string, unknown>>;
  if (kind !== KIND) return null;
  if (
    typeof file !== 'string' ||
    !isCount(position) ||
    !isCount(epoch) ||
    !isCount(events) ||
    !Array.isArray(pieces)
  ) {
    throw damaged();
  }
  return { file, position, epoch, events, pieces: pieces.map(pieceOf) };
}

function pieceOf(numbers: unknown): ParkedPiece {
  if (!Array.isArray(numbers) || numbers.length !== 5 || !numbers.every(isCount)) throw damaged();
  const [table = 0, start = 0, end = 0, transactionStart = 0, transactionEnd = 0] = numbers;
  return { table, start, end, transactionStart, transactionEnd };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function damaged(): UmbusError {
  return new UmbusError(
    'UMBUS_TOPOLOGY_DECODE',
    'A dead letter refers to its raw record in a form that is damaged.',
  );
}

import { decodeReference, type ParkedReference } from '../../change/parked-reference.ts';
import { decodeRawRun, type RawRun } from '../../change/raw-run.ts';
import { isUmbusError, UmbusError } from '../../core/errors.ts';
import type { Log, LogRecord } from '../../ports/log.ts';
import { runOfPieces } from '../../stages/append-park.ts';
import type { DeadRecord } from './dead-records.ts';

/**
 * The parked events of a dead letter: those that it holds, or those that it refers to, which are read from the raw topic with `decode`. Errors: UMBUS_PARKED_GONE when the raw record is not kept any
 * more, UMBUS_TOPOLOGY_DECODE for a damaged letter.
 */
export async function letterRun(
  log: Log,
  { record, letter }: DeadRecord,
  decode: (value: Uint8Array) => RawRun,
  signal: AbortSignal,
): Promise<RawRun> {
  const value = record.value ?? new Uint8Array();
  const reference = decodeReference(value);
  if (reference === null) return decodeRawRun(value);
  const { topic, partition, offset } = letter;
  const raw = await rawRecord(log, topic, Number(partition), BigInt(offset), signal);
  const run = raw?.value == null ? null : decode(raw.value);
  if (run === null || !isReferredTo(run, reference)) {
    throw new UmbusError(
      'UMBUS_PARKED_GONE',
      `The dead letter of ${letter.key} at offset ${record.offset} refers to ${topic}/${partition}@${offset}, and that record is not kept any more.`,
      { details: { table: letter.key, topic, partition: Number(partition), offset: BigInt(offset) } },
    );
  }
  const parked = runOfPieces(run, reference.pieces);
  if (parked !== null) return parked;
  throw new UmbusError(
    'UMBUS_TOPOLOGY_DECODE',
    `The dead letter of ${letter.key} at offset ${record.offset} refers to no event.`,
  );
}

/** The record at an offset; null when it is gone. */
async function rawRecord(
  log: Log,
  topic: string,
  partition: number,
  offset: bigint,
  signal: AbortSignal,
): Promise<LogRecord | null> {
  try {
    const batch = await log.read({ topic, partition, offset }, { maxBytes: 1, maxWaitMs: 0 }, signal);
    return batch.records.find(each => each.offset === offset) ?? null;
  } catch (error) {
    if (isUmbusError(error, 'UMBUS_LOG_OFFSET_GONE') || isUmbusError(error, 'UMBUS_LOG_UNKNOWN_TOPIC'))
      return null;
    throw error;
  }
}

/** A topic that was removed and made again has other records at the same offsets. */
function isReferredTo(run: RawRun, { file, position, epoch }: ParkedReference): boolean {
  return run.file === file && run.position === position && run.epoch === epoch;
}

import { UmbusError } from '../../core/errors.ts';
import type { Log, LogRecord, TopicPartition } from '../../ports/log.ts';
import { type DeadLetter, deadLetterOf } from '../render/dead-letter.ts';

const READ_BYTES = 4 * 1024 * 1024;

/** A record of a dead-letter topic. */
export interface DeadRecord {
  readonly place: TopicPartition;
  readonly record: LogRecord;
  readonly letter: DeadLetter;
}

/** Name of the dead-letter topic of a line. */
export function deadTopicOf(ds: string): string {
  return `${ds}_dead`;
}

/** Dead letters in the order of each partition, of one key (`schema.table`) when given. None when the topic is not there yet. */
export async function* deadRecords(
  log: Log,
  ds: string,
  key: string | null,
  signal: AbortSignal,
): AsyncGenerator<DeadRecord, void, undefined> {
  const name = deadTopicOf(ds);
  const topic = (await log.topics()).find(each => each.name === name);
  for (const [partition, { earliest, latest }] of (topic?.extents ?? []).entries()) {
    const place = { topic: name, partition };
    let offset = earliest;
    while (offset < latest && !signal.aborted) {
      const batch = await log.read({ ...place, offset }, { maxBytes: READ_BYTES, maxWaitMs: 0 }, signal);
      for (const record of batch.records) {
        const letter = deadLetterOf(record);
        if (letter !== null && (key === null || letter.key === key)) yield { place, record, letter };
      }
      if (batch.nextOffset === offset) break;
      offset = batch.nextOffset;
    }
  }
}

/** The dead letter at an offset. Errors: UMBUS_USAGE when there is none. */
export async function deadRecordAt(
  log: Log,
  ds: string,
  partition: number,
  offset: bigint,
  signal: AbortSignal,
): Promise<DeadRecord> {
  const place = { topic: deadTopicOf(ds), partition };
  const batch = await log.read({ ...place, offset }, { maxBytes: 1, maxWaitMs: 0 }, signal);
  const record = batch.records.find(each => each.offset === offset);
  const letter = record === undefined ? null : deadLetterOf(record);
  if (record === undefined || letter === null) {
    throw new UmbusError(
      'UMBUS_USAGE',
      `There is no dead letter at ${place.topic}/${partition}@${offset}; see \`umbus parked list\`.`,
    );
  }
  return { place, record, letter };
}

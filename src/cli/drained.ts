import { decodeRawRun } from '../change/raw-run.ts';
import type { Line } from '../config/line.ts';
import type { Log, TopicPartition } from '../ports/log.ts';
import { offsetOf } from '../stages/extract-space.ts';

/** A place in the source's binlog. */
export interface BinlogPlace {
  readonly file: string;
  readonly position: number;
}

/** The number after the last dot of a binlog file name. */
function fileNumber(file: string): number {
  return Number(file.slice(file.lastIndexOf('.') + 1));
}

/** Without transactions the very last record may be an older one, written again; one of so many is the furthest. */
const TAIL_RECORDS = 8;
/** Enough to see whether there is a record at all. */
const LOOK_BYTES = 1;

/** Whether the extractor has landed everything before `place`. */
async function landed(log: Log, ds: string, place: BinlogPlace): Promise<boolean> {
  for (const { value } of await log.tail({ topic: ds, partition: 0 }, TAIL_RECORDS)) {
    if (value === null) continue;
    const run = decodeRawRun(value);
    const ahead = fileNumber(run.file) - fileNumber(place.file);
    if (ahead > 0 || (ahead === 0 && offsetOf(run.next) >= place.position)) return true;
  }
  return false;
}

/** Whether some group has committed up to the last record of a partition. */
async function consumed(log: Log, groups: readonly string[], partition: TopicPartition): Promise<boolean> {
  const end = await log.offset(partition, 'latest');
  if (end === 0n) return true;
  for (const group of groups) {
    const [committed] = await log.committed(group, [partition]);
    if (committed === null || committed === undefined) continue;
    if (committed.offset >= end || (await isEmpty(log, partition, committed.offset, end))) return true;
  }
  return false;
}

/** Whether what lies between two offsets are no records: the ends of Kafka's transactions have offsets of their own. */
async function isEmpty(log: Log, partition: TopicPartition, from: bigint, end: bigint): Promise<boolean> {
  for (let offset = from; offset < end; ) {
    const at = { ...partition, offset };
    const { records, nextOffset } = await log.read(
      at,
      { maxBytes: LOOK_BYTES, maxWaitMs: 0 },
      new AbortController().signal,
    );
    if (records.length > 0 || nextOffset <= offset) return false;
    offset = nextOffset;
  }
  return true;
}

/**
 * Whether every change before `place` has passed the whole line: landed by the extractor, then consumed to the end of each topic between
 * it and the result topics. Errors: UMBUS_LOG_*.
 */
export async function drainedTo(
  log: Log,
  line: Pick<Line, 'ds' | 'schemas'>,
  place: BinlogPlace,
): Promise<boolean> {
  const wanted = new Set([line.ds, ...Object.keys(line.schemas).map(schema => `${line.ds}.${schema}`)]);
  // In the order in which changes pass them, or some could go by between two looks. The first one's name begins all others.
  const topics = (await log.topics())
    .filter(topic => wanted.has(topic.name))
    .sort((a, b) => a.name.length - b.name.length);
  if (topics.length < wanted.size || !(await landed(log, line.ds, place))) return false;
  const groups = await log.groups();
  for (const topic of topics) {
    for (let partition = 0; partition < topic.partitions; partition++) {
      if (!(await consumed(log, groups, { topic: topic.name, partition }))) return false;
    }
  }
  return true;
}

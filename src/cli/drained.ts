import { decodeRawRun } from '../change/raw-run.ts';
import type { Line } from '../config/line.ts';
import type { Log, TopicPartition } from '../ports/log.ts';

/** A place in the source's binlog. */
export interface BinlogPlace {
  readonly file: string;
  readonly position: number;
}

/** The number after the last dot of a binlog file name. */
function fileNumber(file: string): number {
  return Number(file.slice(file.lastIndexOf('.') + 1));
}

/** Whether the extractor has landed everything before `place`. */
async function landed(log: Log, ds: string, place: BinlogPlace): Promise<boolean> {
  const [newest] = await log.tail({ topic: ds, partition: 0 }, 1);
  if (newest === undefined || newest.value === null) return false;
  const run = decodeRawRun(newest.value);
  const ahead = fileNumber(run.file) - fileNumber(place.file);
  return ahead > 0 || (ahead === 0 && run.next >= place.position);
}

/** Whether some group has committed up to the end of a partition. */
async function consumed(log: Log, groups: readonly string[], partition: TopicPartition): Promise<boolean> {
  const end = await log.offset(partition, 'latest');
  if (end === 0n) return true;
  for (const group of groups) {
    const [committed] = await log.committed(group, [partition]);
    if (committed !== null && committed !== undefined && committed.offset >= end) return true;
  }
  return false;
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
  const topics = (await log.topics()).filter(topic => wanted.has(topic.name));
  if (topics.length < wanted.size || !(await landed(log, line.ds, place))) return false;
  const groups = await log.groups();
  for (const topic of topics) {
    for (let partition = 0; partition < topic.partitions; partition++) {
      if (!(await consumed(log, groups, { topic: topic.name, partition }))) return false;
    }
  }
  return true;
}

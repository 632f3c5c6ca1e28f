import type { Log, TopicDescription } from '../../ports/log.ts';
import { groupNameOf } from '../../runtime/start.ts';
import type { GroupLag } from '../../telemetry/alarms/observation.ts';

/** Groups with something to read in one round; a line has fewer. */
const LAGS_MAX = 2_000;

/**
 * The groups of a line, and consumer groups that `watched` names, where they have not read all: how much, and how old the oldest record is that they have not read. `topics`:
 * those of the line.
 */
export async function groupLags(
  log: Log,
  ds: string,
  topics: readonly TopicDescription[],
  watched: (group: string) => boolean,
  signal: AbortSignal,
): Promise<readonly GroupLag[]> {
  const prefix = groupNameOf(ds, '');
  const groups = (await log.groups()).filter(group => group.startsWith(prefix) || watched(group));
  const places = topics.flatMap(({ name: topic, extents }) =>
    extents.map(({ latest, earliest }, partition) => ({ topic, partition, latest, earliest })),
  );
  const lags: GroupLag[] = [];
  for (const group of groups) {
    const committed = await log.committed(group, places);
    for (const [index, { topic, partition, latest, earliest }] of places.entries()) {
      const offset = committed[index]?.offset;
      if (offset === undefined || offset >= latest || lags.length >= LAGS_MAX) continue;
      let from = offset;
      if (from < earliest) from = earliest;
      const oldest = await oldestMs(log, { topic, partition, offset: from }, signal);
      // Kafka's offsets have gaps where there is nothing to read.
      if (oldest === null) continue;
      const topology = group.startsWith(prefix)
        ? (group.slice(prefix.length).split('.', 1)[0] ?? null)
        : null;
      lags.push({ group, topology, topic, partition, records: Number(latest - from), oldestMs: oldest });
    }
  }
  return lags;
}

/** Time of the first record at or after an offset; null when there is none. */
async function oldestMs(
  log: Log,
  from: { readonly topic: string; readonly partition: number; readonly offset: bigint },
  signal: AbortSignal,
): Promise<number | null> {
  const { records } = await log.read(from, { maxBytes: 1, maxWaitMs: 0 }, signal);
  return records[0]?.timestampMs ?? null;
}

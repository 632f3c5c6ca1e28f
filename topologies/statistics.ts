import type { BeatRecord } from '../src/change/beat-record.ts';
import { STATISTIC_TOPIC, type StatMessage, statKey } from '../src/change/stat-message.ts';
import type { Line } from '../src/config/line.ts';
import { json, utf8 } from '../src/topology/serdes.ts';
import type { Stream } from '../src/topology/stream.ts';
import { topic } from '../src/topology/topic.ts';
import type { Emit, Rec, Topic } from '../src/topology/types.ts';

/** They are read as they come; a thousand tables write half a gigabyte an hour. */
const KEPT = { partitions: 1, retention: '1d', retentionBytes: 512 * 1024 * 1024 } as const;

/** `<ds>_heartbeat`: what is noted of each round, in one partition. */
export function beatTopic({ ds }: Pick<Line, 'ds'>): Topic<string, BeatRecord> {
  return topic(`${ds}_heartbeat`, utf8, json<BeatRecord>(), KEPT);
}

/** `dbus_statistic`: what each hop has counted between two heartbeats, as DBUS has it. */
export function statisticTopic(): Topic<string, StatMessage> {
  return topic(STATISTIC_TOPIC, utf8, json<StatMessage>(), KEPT);
}

/** Whether a line writes statistics. */
export function writesStatistics({ heartbeat }: Partial<Pick<Line, 'heartbeat'>>): boolean {
  return heartbeat?.statistics === true;
}

/** Writes the statistics that go with some values to their topic. */
export function writeStatistics<K, V>(
  values: Stream<K, V>,
  statsOf: (value: V) => readonly StatMessage[],
): void {
  values
    .process('statistics', {}, () => ({
      on({ value }: Rec<K, V>, _context: unknown, emit: Emit<string, StatMessage>) {
        // What went before was for a partition of another topic.
        for (const stat of statsOf(value)) emit(statKey(stat), stat, { partition: 0, headers: {} });
      },
    }))
    .to('statistic', statisticTopic());
}

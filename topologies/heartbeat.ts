import type { BeatRecord } from '../src/change/beat-record.ts';
import type { Line } from '../src/config/line.ts';
import { subscription } from '../src/config/subscription.ts';
import type { UmbusError } from '../src/core/errors.ts';
import type { BeatSource } from '../src/ports/beats.ts';
import type { Clock } from '../src/ports/clock.ts';
import { type BeatSchedule, heartbeatSource } from '../src/stages/heartbeat.ts';
import { createHeartbeatWatch } from '../src/stages/heartbeat-watch.ts';
import { defineTopology, trusted } from '../src/topology/definition.ts';
import { beatTopic, statisticTopic } from './statistics.ts';
import { resultTopic, schemaNames, type TopicSettings } from './topics.ts';

/** What the heartbeat topology needs of the outside. */
export interface HeartbeatPorts {
  readonly beats: BeatSource;
  readonly clock: Clock;
  readonly schedule: BeatSchedule;
  /** Notes progress in coordination; left out: nowhere. */
  readonly progress?: (path: string, value: Uint8Array) => void;
  /** Told when rounds begin to fail, and null when they work again. */
  readonly tell?: (trouble: UmbusError | null) => void;
}

export type HeartbeatConfig = TopicSettings &
  HeartbeatPorts & { readonly heartbeat: NonNullable<Line['heartbeat']> };

/**
 * Inserts heartbeats into the source on a schedule, one process at a time, and notes each round on `<ds>_heartbeat`. With statistics it also reads the result topics and says on
 * `dbus_statistic` when the heartbeats arrived.
 */
export const heartbeat = defineTopology({
  name: 'heartbeat',
  version: 1,
  config: trusted<HeartbeatConfig>(),
  build(t, config) {
    const { beats, clock, schedule, tell, progress, ds } = config;
    const rounds = beatTopic(config);
    const source = heartbeatSource({
      beats,
      clock,
      schedule,
      topic: rounds,
      schemas: schemaNames(config),
      rows: config.heartbeat.rows,
      subscribed: subscription(config),
      keep: config.heartbeat.keep,
      ...(tell !== undefined && { tell }),
    });
    t.external('rounds', source).key('round', keyOf).to('heartbeat', rounds);
    if (!config.heartbeat.statistics) return;
    for (const schema of schemaNames(config)) {
      const arrived = t
        .source(`result-${schema}`, resultTopic(config, schema))
        .process(`watch-${schema}`, {}, () =>
          createHeartbeatWatch({ ds, ...(progress !== undefined && { progress }) }),
        );
      arrived.to(`statistic-${schema}`, statisticTopic());
    }
  },
});

function keyOf(record: BeatRecord): string {
  return record.kind === 'beat' ? `beat ${record.beat}` : record.code;
}

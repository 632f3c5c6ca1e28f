import { gauge, histogram } from './spec.ts';

/** Heartbeats, told by the process that beats: from the commit at the source to each hop, with the skew of the clocks taken out. */
export const heartbeatMetrics = {
  latency: histogram(
    'umbus_heartbeat_latency_seconds',
    'seconds',
    'Time from the commit of a heartbeat at the source until it passed a hop: extractor, dispatcher, appender, reader.',
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
    ['hop'],
  ),
  last: gauge(
    'umbus_heartbeat_last_latency_seconds',
    'seconds',
    'The same of the newest heartbeat of a table.',
    ['table', 'hop'],
  ),
  age: gauge(
    'umbus_heartbeat_age_seconds',
    'seconds',
    'Time since the round of the newest heartbeat of a table that was read from its result topic.',
    ['table'],
  ),
  roundAge: gauge(
    'umbus_heartbeat_round_age_seconds',
    'seconds',
    'Time since the newest round that the source took.',
  ),
  purgeLeft: gauge(
    'umbus_source_purge_left_seconds',
    'seconds',
    'How long the source still has the binlog that comes next, if nothing more were read.',
  ),
} as const;

import type { Metrics } from '../../ports/metrics.ts';
import type { TopologyEvents } from '../../runtime/events.ts';
import { topologyMetrics } from '../../telemetry/metrics/topology-metrics.ts';
import type { EventLog } from '../event-log.ts';

/** Different things parked or skipped that are told one by one; more are only counted. */
const TOLD_MAX = 1_000;

/**
 * Events of running topologies as lines, and as metrics where nothing else counts them (`metrics` null: not measured). Commits are not told one by one: {@link reportProgress} sums them up. A table is told when it is parked
 * first; what follows is counted.
 */
export function topologyLog(log: EventLog, metrics: Metrics | null = null): TopologyEvents {
  const told = new Set<string>();
  const firstTime = (what: string): boolean => {
    if (told.has(what) || told.size >= TOLD_MAX) return false;
    told.add(what);
    return true;
  };
  return {
    stateChanged: ({ topology, from, to }) => log('info', `Topology is ${to}.`, { topology, from }),
    committed: ({ topology, durationMs }) =>
      metrics?.observe(topologyMetrics.commitSeconds, { topology }, durationMs / 1000),
    parked: ({ topology, task, stage, topic, partition, offset, key, code, message }) => {
      if (!firstTime(`parked ${topology} ${key} ${code}`)) return;
      log('warn', 'Parked; the rest goes on. Later records of it are parked too, and counted.', {
        topology,
        task,
        stage,
        key,
        code,
        reason: message,
        from: `${topic}/${partition}@${offset}`,
      });
    },
    skipped: ({ topology, task, stage, topic, partition, offset, code, message }) => {
      if (!firstTime(`skipped ${topology} ${stage} ${code}`)) return;
      log('warn', 'Skipped a record, as the topology says. Later ones are counted.', {
        topology,
        task,
        stage,
        code,
        reason: message,
        from: `${topic}/${partition}@${offset}`,
      });
    },
    rebalanced: ({ topology, group, change, partitions }) => {
      metrics?.add(topologyMetrics.rebalances, { topology, change });
      log('info', `Partitions were ${change}.`, {
        topology,
        group,
        partitions: partitions.map(({ topic, partition }) => `${topic}/${partition}`).join(','),
      });
    },
    restarted: ({ topology, group, code, message, attempt, delayMs }) =>
      log('warn', 'Begins again from its last commit.', {
        topology,
        group,
        code,
        reason: message,
        attempt,
        delayMs: Math.round(delayMs),
      }),
    standby: ({ topology, stage, lease, holder }) =>
      log('info', 'Stands by: another process reads the source.', { topology, stage, lease, holder }),
    connected: ({ topology, stage }) => log('info', 'Source is connected.', { topology, stage }),
    reconnecting: ({ topology, stage, code, message, attempt, delayMs }) =>
      log('warn', 'Source connection ended and is opened anew.', {
        topology,
        stage,
        code,
        reason: message,
        attempt,
        delayMs: Math.round(delayMs),
      }),
    laneForgotten: ({ topology, task, topic, lanes }) =>
      log(
        'warn',
        'More producers write to a partition than can be remembered; repeats of the oldest are not recognised.',
        {
          topology,
          task,
          topic,
          lanes,
        },
      ),
    configRejected: ({ topology, path, message }) =>
      log('warn', 'A changed config does not decode; the one before stays in force.', {
        topology,
        path,
        reason: message,
      }),
  };
}

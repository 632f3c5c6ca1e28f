import type { Health } from '../../adapters/telemetry/metrics-server.ts';
import type { TopologySnapshot } from '../../runtime/snapshot.ts';

/** `connected`, `standby` while another process reads it, `waiting` while it cannot be read. */
type SourceWord = 'connected' | 'standby' | 'waiting';

/** Alive unless a topology has failed for good: it does not begin again in this process. */
export function liveness(snapshots: readonly TopologySnapshot[]): Health {
  const failed = snapshots.filter(({ state }) => state === 'failed').map(({ topology }) => topology);
  return { ok: failed.length === 0, facts: failed.length === 0 ? {} : { failed } };
}

/**
 * Ready when every topology runs. A source that is waited for is told and leaves the process ready: it is the process that does its work, and no other could do more. While the log
 * is waited for (`opening`) there are no topologies yet, and it is not ready.
 */
export function readiness(opening: boolean, snapshots: readonly TopologySnapshot[]): Health {
  const topologies = snapshots.map(({ topology, state, externals }) => {
    const [external] = externals;
    if (external === undefined) return { topology, state };
    const source: SourceWord = external.standby ? 'standby' : external.connected ? 'connected' : 'waiting';
    return { topology, state, source };
  });
  // A topology with a source is starting while it stands by, and restarting while it waits.
  const works = topologies.every(({ state, source }) =>
    source === undefined ? state === 'running' : ['starting', 'running', 'restarting'].includes(state),
  );
  return {
    ok: !opening && topologies.length > 0 && works,
    facts: opening ? { waitingFor: 'the log and what else the line needs' } : { topologies },
  };
}

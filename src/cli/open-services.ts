import { join } from 'node:path';
import type { LineSchemas } from '../adapters/registry/line-schemas.ts';
import type { Line } from '../config/line.ts';
import type { Clock } from '../ports/clock.ts';
import type { Coordination } from '../ports/coordination.ts';
import type { Log } from '../ports/log.ts';

/** Opens where the processes of a line agree who does what: as the line file says, else where its log is. Errors: UMBUS_COORDINATION_*, UMBUS_KAFKA_*. */
export async function openLineCoordination(line: Line, log: Log, clock: Clock): Promise<Coordination> {
  const { coordination } = line;
  if (coordination.kind === 'zookeeper') {
    const { openZookeeperCoordination } = await import('../adapters/zookeeper/index.ts');
    const { servers, root, sessionTimeoutMs } = coordination;
    return await openZookeeperCoordination({ servers, root: `${root}/${line.ds}`, sessionTimeoutMs, clock });
  }
  if (line.log.kind === 'embedded') {
    const { openEmbeddedCoordination } = await import('../adapters/embedded-coordination/index.ts');
    return await openEmbeddedCoordination({ dir: join(line.log.dir, 'coordination'), clock });
  }
  const { openLogCoordination } = await import('../adapters/log-coordination/index.ts');
  return await openLogCoordination({ log, clock, ds: line.ds });
}

/** Where {@link openLineCoordination} opens it, for people. */
export function coordinationPlace({ coordination, log }: Line): string {
  if (coordination.kind === 'zookeeper') return `ZooKeeper at ${coordination.servers.join(', ')}`;
  return log.kind === 'embedded' ? log.dir : 'Kafka';
}

/** The schemas of a line in its registry, and the connection they are asked for over. */
export interface LineRegistry extends AsyncDisposable {
  readonly registered: LineSchemas;
}

/** Opens the registry of a line and registers what is known before the first change; null for a line without one. Errors: UMBUS_REGISTRY_*. */
export async function openLineRegistry({ ds, registry: settings }: Line): Promise<LineRegistry | null> {
  if (settings === null) return null;
  const { openLineSchemas, openRegistry } = await import('../adapters/registry/index.ts');
  const { url, username, password, compatibility } = settings;
  const registry = openRegistry({ url, username, password });
  try {
    const registered = await openLineSchemas(registry, { ds, compatibility });
    return { registered, [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose]() };
  } catch (error) {
    await registry[Symbol.asyncDispose]();
    throw error;
  }
}

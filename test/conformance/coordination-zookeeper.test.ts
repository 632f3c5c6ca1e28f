import { after, test } from 'node:test';
import { systemClock } from '../../src/adapters/system-clock.ts';
import {
  openZookeeperCoordination,
  ZookeeperCoordination,
} from '../../src/adapters/zookeeper/zookeeper-coordination.ts';
import type { Coordination } from '../../src/ports/coordination.ts';
import { requireZookeeper } from '../support/servers.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { describeCoordination } from './coordination.ts';
import type { CoordinationFixture } from './coordination-fixture.ts';

const SESSION_MS = 3_000;
const missing: string[] = [];
const server = await requireZookeeper({ skip: message => missing.push(message ?? '') });
after(() => server?.[Symbol.asyncDispose]());
let worlds = 0;

/** A root of its own, and a proxy before the server for each process. */
async function openWorld(port: number): Promise<CoordinationFixture> {
  worlds += 1;
  const root = `/suite/${worlds}`;
  const proxies = new Map<Coordination, TcpProxy>();
  const proxyOf = (process: Coordination): TcpProxy => {
    const proxy = proxies.get(process);
    if (proxy === undefined) throw new Error('It is of another world.');
    return proxy;
  };
  return {
    async open() {
      const proxy = await startTcpProxy(port);
      const servers = [`127.0.0.1:${proxy.port}`];
      const process = await openZookeeperCoordination({
        servers,
        root,
        sessionTimeoutMs: SESSION_MS,
        clock: systemClock,
      });
      proxies.set(process, proxy);
      return process;
    },
    async crash(process) {
      if (process instanceof ZookeeperCoordination) await process.abandon();
    },
    isolate: async process => proxyOf(process).silence(),
    heal: async process => proxyOf(process).heal(),
    async disrupt() {
      for (const proxy of proxies.values()) proxy.cut();
    },
    async [Symbol.asyncDispose]() {
      for (const proxy of proxies.values()) await proxy[Symbol.asyncDispose]();
    },
  };
}

if (server === null) test('coordination: ZooKeeper', t => t.skip(missing[0]));
else describeCoordination('ZooKeeper', () => openWorld(server.port), { ttlMs: SESSION_MS });

import { mkdir, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { classPathOf, ensureJava, mavenFiles } from './java-program.ts';
import { propertiesText } from './properties-text.ts';
import { type SingleServer, startSingle } from './single-server.ts';

const VERSION = '3.9.5';
const EDITION = 1;
/**
 * From Maven Central, as Kafka: one way for all servers, a version that the machine's distribution does not decide, and no service
 * that a package would set up. The two after the server are those that its pom leaves to the distribution and that it cannot start
 * without.
 */
const DEPENDENCIES = [
  `org.apache.zookeeper:zookeeper:${VERSION}`,
  'io.dropwizard.metrics:metrics-core:4.1.12.1',
  'org.xerial.snappy:snappy-java:1.1.10.5',
  'org.slf4j:slf4j-simple:2.0.13',
];
const CODE = 'UMBUS_COORDINATION_UNREACHABLE';
/** Short: a server that has just opened its port may leave the first question without an answer for good. */
const ANSWER_DEADLINE_MS = 1_000;
/** Sessions expire at multiples of a tick; the shortest session has two ticks. */
const TICK_MS = 250;

/** A throw-away ZooKeeper of one server; its `address` is what clients connect to. */
export interface ZookeeperServer extends SingleServer {
  /** Version of ZooKeeper, for example `3.9.5`. */
  readonly version: string;
}

/** Whether the server says, in answer to the four-letter word `srvr`, that it serves. */
function serves(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = createConnection(port, '127.0.0.1');
    let said = '';
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(ANSWER_DEADLINE_MS, () => end(false));
    socket.once('connect', () => socket.write('srvr'));
    socket.on('data', data => {
      said += data.toString();
      if (said.includes('Mode: ')) end(true);
    });
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
  });
}

/**
 * Starts a throw-away ZooKeeper: sessions of 0.5 to 60 seconds, data kept through kills and stops. Disposing it kills it and
 * removes its data. Java and Maven are installed as for Kafka. Errors: UMBUS_COORDINATION_UNREACHABLE.
 */
export async function startZookeeper(
  options: { readonly progress?: (line: string) => void } = {},
): Promise<ZookeeperServer> {
  const { progress = () => {} } = options;
  const java = await ensureJava(CODE, progress);
  const name = `zookeeper-${VERSION}-${EDITION}`;
  const title = `Apache ZooKeeper ${VERSION}`;
  const jars = await mavenFiles({ name, title, dependencies: DEPENDENCIES, code: CODE }, progress);
  const classPath = await classPathOf(jars);
  const server = await startSingle({
    prefix: 'umbus-zookeeper-',
    async command({ root, dataDir, port }) {
      const settings = join(root, 'zoo.cfg');
      await mkdir(dataDir, { recursive: true });
      await writeFile(
        settings,
        propertiesText({
          tickTime: String(TICK_MS),
          maxSessionTimeout: '60000',
          dataDir,
          clientPort: String(port),
          clientPortAddress: '127.0.0.1',
          'admin.enableServer': 'false',
          '4lw.commands.whitelist': '*',
        }),
      );
      return {
        program: java.path,
        args: [
          '-Xmx128m',
          '-XX:+UseSerialGC',
          '-XX:TieredStopAtLevel=1',
          // What a killed process wrote is in the page cache and survives it; only a power cut would need a sync.
          '-Dzookeeper.forceSync=no',
          '-Dzookeeper.preAllocSize=1024',
          '-Dorg.slf4j.simpleLogger.showDateTime=true',
          '-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss,SSS',
          ...['-cp', classPath, 'org.apache.zookeeper.server.ZooKeeperServerMain', settings],
        ],
        ready: () => serves(port),
        code: CODE,
      };
    },
  });
  return Object.assign(server, { version: VERSION });
}

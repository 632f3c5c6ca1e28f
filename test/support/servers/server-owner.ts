/**
 * Starts a server of the kind that its argument names, prints the id of its process and its directory, and waits to be killed. With
 * a second argument `stopped` it stops the server before it prints.
 */
import {
  startKafka,
  startMariadb,
  startMysql,
  startMysql56,
  startRegistry,
  startZookeeper,
} from '../servers.ts';

/** What the owner of a server prints. */
export interface Owned {
  readonly pid: number;
  readonly dataDir: string;
}

interface Running extends Owned {
  stop(): Promise<void>;
}

async function startBroker(): Promise<Running> {
  const { brokers } = await startKafka();
  const [broker] = brokers;
  if (broker === undefined) throw new Error('The cluster has no broker.');
  return { pid: broker.pid, dataDir: broker.logDir, stop: () => broker.stop() };
}

const starters: Readonly<Record<string, () => Promise<Running>>> = {
  kafka: startBroker,
  mariadb: startMariadb,
  mysql: startMysql,
  mysql56: startMysql56,
  registry: startRegistry,
  zookeeper: startZookeeper,
};

const [kind = '', stopped] = process.argv.slice(2);
const start = starters[kind];
if (start === undefined) throw new Error(`There is no server of kind ${kind}.`);
const server = await start();
const { pid, dataDir } = server;
if (stopped === 'stopped') await server.stop();
console.log(JSON.stringify({ pid, dataDir } satisfies Owned));
setInterval(() => {}, 60_000);

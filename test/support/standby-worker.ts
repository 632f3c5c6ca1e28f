/**
 * A process that reads a source of numbers while it has the lease, and lands them on Kafka: `node standby-worker.ts BROKER MEMBER`. Tells `connected`,
 * `standby HOLDER` and error codes on stdout, a line each; SIGTERM stops it in order.
 */
import { writeSync } from 'node:fs';
import { openKafkaLog } from '../../src/adapters/kafka/index.ts';
import { openLogCoordination } from '../../src/adapters/log-coordination/index.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { startTopology } from '../../src/runtime/start.ts';
import { lander, NumberServer } from '../topologies/numbered-source.ts';

const [broker = '', member = ''] = process.argv.slice(2);
const tell = (line: string): void => {
  writeSync(1, `${line}\n`);
};
const clock = systemClock;
await using log = await openKafkaLog({
  brokers: [broker],
  tls: null,
  sasl: null,
  clientId: member,
  replicationFactor: null,
  compression: 'none',
  maxRecordBytes: 1_048_576,
  createTopics: true,
  transactions: false,
  clock,
});
await using coordination = await openLogCoordination({ log, clock, ds: 'numbers' });
const server = new NumberServer();
const growing = setInterval(() => server.grow(3), 5);
const running = startTopology(
  lander,
  { server, size: 4 },
  {
    log,
    clock,
    instance: 'numbers',
    member,
    coordination,
    about: { pid: String(process.pid) },
    events: {
      connected: () => tell('connected'),
      standby: ({ holder }) => tell(`standby ${holder}`),
      reconnecting: ({ code }) => tell(`${code}`),
    },
  },
);
process.once('SIGTERM', () => void running.stop());
await running.done;
clearInterval(growing);

import { serverIdOf } from '../../src/config/resolve-line.ts';
import { PROBE_SCHEMA, type TestKafka } from './running-line.ts';
import type { Server } from './servers.ts';

/** A line file for processes of their own. */
export interface KafkaLineFile {
  readonly server: Server;
  readonly ds: string;
  readonly schemas: readonly string[];
  readonly kafka: Pick<TestKafka, 'brokers' | 'guarantee'>;
  readonly partitions: number;
  /** Default `earliest`. */
  readonly start?: 'earliest' | 'now';
  /** More lines of the section `log.kafka`, each with its own indentation of four spaces. */
  readonly kafkaLines?: readonly string[];
  /** `host:port` of a ZooKeeper; without it the processes agree on Kafka itself. */
  readonly zookeeper?: string;
}

/** The text of a line file on Kafka; a process that is silent for three seconds is taken for dead. */
export function kafkaLineText(options: KafkaLineFile): string {
  const { server, ds, schemas, kafka, partitions, kafkaLines = [], zookeeper, start = 'earliest' } = options;
  const coordination =
    zookeeper === undefined
      ? ''
      : `coordination: { zookeeper: { servers: '${zookeeper}', sessionTimeout: 2s } }\n`;
  return `ds: ${ds}
source:
  url: mysql://${server.user}@${server.host}:${server.port}
  serverId: ${serverIdOf(ds)}
  start: ${start}
schemas:
${[...schemas, PROBE_SCHEMA].map(schema => `  ${schema}: {}\n`).join('')}log:
  kafka:
    brokers: ${kafka.brokers.join(', ')}
    sessionTimeout: 3s
${kafkaLines.map(line => `${line}\n`).join('')}guarantee: ${kafka.guarantee}
${coordination}topics: { partitions: ${partitions} }
`;
}

import { join } from 'node:path';
import type { KafkaSecurity } from './kafka-security.ts';

/** Ports of one broker on 127.0.0.1. */
export interface BrokerPorts {
  /** For clients, with TLS and login where asked for. */
  readonly client: number;
  /** For brokers among themselves and for tests: plain, without login. */
  readonly plain: number;
  readonly controller: number;
}

/** One broker's place in a cluster. */
export interface BrokerPlace {
  readonly nodeId: number;
  readonly ports: BrokerPorts;
  /** Directory of the broker. */
  readonly directory: string;
  /** Where partitions lie. */
  readonly logDir: string;
  /** Ports of all brokers, in the order of their node ids, which start at 1. */
  readonly cluster: readonly BrokerPorts[];
  readonly security: KafkaSecurity;
}

/** 10 MB records pass with room for their headers and the batch around them. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024;

function listeners({ ports, security }: BrokerPlace): Record<string, string> {
  const client = `CLIENT://127.0.0.1:${ports.client}`;
  const plain = `PLAIN://127.0.0.1:${ports.plain}`;
  return {
    listeners: `${client},${plain},CONTROLLER://127.0.0.1:${ports.controller}`,
    'advertised.listeners': `${client},${plain}`,
    'listener.security.protocol.map': `CLIENT:${security.protocol},PLAIN:PLAINTEXT,CONTROLLER:PLAINTEXT`,
    'inter.broker.listener.name': 'PLAIN',
    'controller.listener.names': 'CONTROLLER',
    ...security.settings,
  };
}

/** Settings that make a broker small and quick to react; what a test gives wins. */
function tuning(brokers: number): Record<string, string> {
  const replicas = String(brokers);
  const inSync = brokers === 1 ? '1' : '2';
  return {
    'default.replication.factor': replicas,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': '4',
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
    'share.coordinator.state.topic.num.partitions': '1',
    'auto.create.topics.enable': 'false',
    'message.max.bytes': String(MAX_BATCH_BYTES),
    'replica.fetch.max.bytes': String(MAX_BATCH_BYTES),
    'num.network.threads': '2',
    'num.io.threads': '4',
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': '1000',
    'group.consumer.min.session.timeout.ms': '1000',
    'group.consumer.min.heartbeat.interval.ms': '300',
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': '1000',
    // A killed broker that starts again is taken back only after this time. Short for tests, and long enough that a busy machine
    // does not fence a live broker.
    'broker.session.timeout.ms': brokers === 1 ? '3000' : '6000',
    'broker.heartbeat.interval.ms': '500',
    'replica.lag.time.max.ms': '6000',
    'log.retention.check.interval.ms': '1000',
    'log.initial.task.delay.ms': '1000',
    'log.cleaner.backoff.ms': '1000',
    'log.cleaner.dedupe.buffer.size': String(8 * 1024 * 1024),
    'file.delete.delay.ms': '500',
  };
}

/** The settings of one broker, `config` last. */
export function brokerSettings(
  place: BrokerPlace,
  config: Readonly<Record<string, string>>,
): Record<string, string> {
  const voters = place.cluster.map(({ controller }, index) => `${index + 1}@127.0.0.1:${controller}`);
  return {
    'process.roles': 'broker,controller',
    'node.id': String(place.nodeId),
    'controller.quorum.voters': voters.join(','),
    'log.dirs': place.logDir,
    // Apart, so that a full disk of partitions is not a lost quorum as well.
    'metadata.log.dir': join(place.directory, 'metadata'),
    ...listeners(place),
    ...tuning(place.cluster.length),
    ...config,
  };
}

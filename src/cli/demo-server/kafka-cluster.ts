import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type BrokerSetup, type KafkaBroker, logDirOf, ThrowawayBroker } from './kafka-broker.ts';
import { type KafkaProgram, newKafkaId, writeBootstrapFile } from './kafka-program.ts';
import {
  type ClientCertificates,
  type KafkaSecurityOptions,
  type KafkaUser,
  kafkaSecurity,
} from './kafka-security.ts';
import type { BrokerPorts } from './kafka-settings.ts';
import { type OwnedDirectory, ownedDirectory } from './owned-directory.ts';
import { steadyPorts } from './steady-port.ts';

/** What a throw-away cluster may be started with. */
export interface KafkaOptions extends KafkaSecurityOptions {
  /** Default 1. With 3, topics have three copies of which two must be in sync, unless they say otherwise. */
  readonly brokers?: 1 | 3;
  /** More settings of the brokers; they win over ours. */
  readonly config?: Readonly<Record<string, string>>;
  /** Gives the partitions of each broker a file system of this size, in bytes. Needs root. */
  readonly logDirMaxBytes?: number;
  /** Size of each broker's heap; default 384. */
  readonly heapMb?: number;
  /** Whether hot code is compiled with the slow compiler that makes fast code, as in production: for measurements. */
  readonly optimized?: boolean;
}

/** A throw-away Kafka cluster (KRaft) on 127.0.0.1. It dies with this process. */
export interface KafkaCluster extends AsyncDisposable {
  /** Version of Kafka, for example `4.3.1`. */
  readonly version: string;
  readonly clusterId: string;
  /** `127.0.0.1:port` of each broker's client listener. */
  readonly bootstrap: readonly string[];
  /** `127.0.0.1:port` of each broker's plain listener: no TLS, no login, all rights. */
  readonly plainBootstrap: readonly string[];
  /** Node ids are 1 and on, in this order. */
  readonly brokers: readonly KafkaBroker[];
  /** For clients; null without TLS. */
  readonly certificates: ClientCertificates | null;
  /** Who may log in; empty without SASL. */
  readonly users: readonly KafkaUser[];
}

const DEFAULT_HEAP_MB = 384;
const PORTS_PER_BROKER = 3;
/** A second clash would be no accident. */
const TRIES = 2;

async function clusterPorts(brokers: number): Promise<readonly BrokerPorts[]> {
  const ports = await steadyPorts(brokers * PORTS_PER_BROKER);
  return Array.from({ length: brokers }, (_, index) => {
    const [client = 0, plain = 0, controller = 0] = ports.slice(index * PORTS_PER_BROKER);
    return { client, plain, controller };
  });
}

class ThrowawayCluster implements KafkaCluster {
  readonly version: string;
  readonly clusterId: string;
  readonly certificates: ClientCertificates | null;
  readonly users: readonly KafkaUser[];
  readonly brokers: readonly ThrowawayBroker[];
  readonly #directory: OwnedDirectory;

  constructor(
    setup: BrokerSetup,
    brokers: readonly ThrowawayBroker[],
    security: Pick<KafkaCluster, 'certificates' | 'users'>,
    directory: OwnedDirectory,
  ) {
    this.version = setup.program.version;
    this.clusterId = setup.clusterId;
    this.certificates = security.certificates;
    this.users = security.users;
    this.brokers = brokers;
    this.#directory = directory;
  }

  get bootstrap(): readonly string[] {
    return this.brokers.map(({ address }) => address);
  }

  get plainBootstrap(): readonly string[] {
    return this.brokers.map(({ plainAddress }) => plainAddress);
  }

  async start(): Promise<void> {
    await Promise.all(this.brokers.map(broker => broker.format()));
    const all = this.brokers.length;
    const starts = this.brokers.map(broker => broker.startUntil(ids => ids.length === all));
    const failed = (await Promise.allSettled(starts)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  metTakenPort(): boolean {
    return this.brokers.some(broker => broker.metTakenPort());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.brokers.map(broker => broker.dispose()));
    await this.#directory[Symbol.asyncDispose]();
  }
}

async function prepare(
  program: KafkaProgram,
  options: KafkaOptions,
  directory: OwnedDirectory,
): Promise<ThrowawayCluster> {
  const root = directory.path;
  const security = await kafkaSecurity(options, root);
  const withUsers = join(root, 'bootstrap.checkpoint');
  if (security.users.length > 0) await writeBootstrapFile(program, security.users, withUsers);
  const setup: BrokerSetup = {
    program,
    clusterId: newKafkaId(),
    bootstrapFile: security.users.length > 0 ? withUsers : program.bootstrapFile,
    config: options.config ?? {},
    root,
    heapMb: options.heapMb ?? DEFAULT_HEAP_MB,
    optimized: options.optimized ?? false,
    logDirMaxBytes: options.logDirMaxBytes ?? null,
  };
  const cluster = await clusterPorts(options.brokers ?? 1);
  const brokers: ThrowawayBroker[] = [];
  for (const [index, ports] of cluster.entries()) {
    const place = join(root, `broker-${index + 1}`);
    await mkdir(place);
    const logDir = logDirOf(place, setup.logDirMaxBytes !== null);
    brokers.push(
      new ThrowawayBroker(setup, { nodeId: index + 1, ports, directory: place, logDir, cluster, security }),
    );
  }
  return new ThrowawayCluster(setup, brokers, security, directory);
}

/** Starts a cluster and waits until every broker knows all others as live. Errors: UMBUS_KAFKA_UNREACHABLE, UMBUS_KAFKA_SETTING. */
export async function startCluster(program: KafkaProgram, options: KafkaOptions): Promise<KafkaCluster> {
  for (let attempt = 1; ; attempt += 1) {
    const directory = await ownedDirectory('umbus-kafka-');
    let cluster: ThrowawayCluster | null = null;
    try {
      cluster = await prepare(program, options, directory);
      await cluster.start();
      return cluster;
    } catch (error) {
      const taken = cluster?.metTakenPort() ?? false;
      await (cluster ?? directory)[Symbol.asyncDispose]();
      if (!taken || attempt === TRIES) throw error;
    }
  }
}

import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { assert } from '../../core/assert.ts';
import { messageOf, UmbusError } from '../../core/errors.ts';
import { liveBrokers } from './kafka-probe.ts';
import { formatNode, type KafkaProgram } from './kafka-program.ts';
import { type BrokerPlace, brokerSettings } from './kafka-settings.ts';
import { MOUNT_NAME } from './owned-directory.ts';
import { propertiesText } from './properties-text.ts';
import { type RestartableServer, ServerSlot } from './server-slot.ts';

const run = promisify(execFile);

/** One broker of a throw-away cluster; it is a controller of the cluster too. */
export interface KafkaBroker extends RestartableServer {
  readonly nodeId: number;
  /** `127.0.0.1:port` of the client listener, the same for all starts. */
  readonly address: string;
  /** `127.0.0.1:port` of the plain listener, without TLS and login. */
  readonly plainAddress: string;
  /** Where partitions lie: `<topic>-<partition>/` with segments. */
  readonly logDir: string;
  /**
   * Starts again on the same ports and data, and waits until the broker takes part in the cluster. Where a majority of the brokers
   * is away nobody can: start several with `Promise.all`. Settings that are given hold for this and later starts.
   */
  start(config?: Readonly<Record<string, string>>): Promise<void>;
  /** Sets the size of the file system of `logDir`, in bytes. Only with `logDirMaxBytes`. */
  resizeLogDir(bytes: number): Promise<void>;
}

/** How the brokers of a cluster are run. */
export interface BrokerSetup {
  readonly program: KafkaProgram;
  readonly clusterId: string;
  readonly bootstrapFile: string;
  readonly config: Readonly<Record<string, string>>;
  /** Directory of the whole cluster. */
  readonly root: string;
  readonly heapMb: number;
  readonly optimized: boolean;
  readonly logDirMaxBytes: number | null;
}

async function mount(args: readonly string[]): Promise<void> {
  try {
    await run('mount', [...args]);
  } catch (cause) {
    throw new UmbusError(
      'UMBUS_KAFKA_SETTING',
      `A broker's directory cannot be given a size (mount: ${messageOf(cause)}). This needs root with the right to mount.`,
      { cause },
    );
  }
}

/** Where a broker's partitions lie, below its directory. */
export function logDirOf(directory: string, bounded: boolean): string {
  return join(directory, bounded ? MOUNT_NAME : 'data');
}

/** A broker that is not started yet. */
export class ThrowawayBroker extends ServerSlot implements KafkaBroker {
  readonly nodeId: number;
  readonly address: string;
  readonly plainAddress: string;
  readonly logDir: string;
  readonly #setup: BrokerSetup;
  readonly #place: BrokerPlace;
  #config: Readonly<Record<string, string>>;
  #mounted = false;

  constructor(setup: BrokerSetup, place: BrokerPlace) {
    super(join(place.directory, 'server.log'));
    this.nodeId = place.nodeId;
    this.address = `127.0.0.1:${place.ports.client}`;
    this.plainAddress = `127.0.0.1:${place.ports.plain}`;
    this.logDir = place.logDir;
    this.#setup = setup;
    this.#place = place;
    this.#config = setup.config;
  }

  /** Makes its directories and gives them the node's identity. */
  async format(): Promise<void> {
    const { clusterId, bootstrapFile, logDirMaxBytes } = this.#setup;
    const metadata = join(this.#place.directory, 'metadata');
    await mkdir(metadata, { recursive: true });
    await mkdir(this.logDir);
    if (logDirMaxBytes !== null) {
      await mount(['-t', 'tmpfs', '-o', `size=${logDirMaxBytes}`, 'umbus-kafka', this.logDir]);
      this.#mounted = true;
    }
    await formatNode({ clusterId, nodeId: this.nodeId }, bootstrapFile, { metadata, log: this.logDir });
  }

  /** Starts it; ready when the node ids of live brokers that it tells satisfy the caller. */
  async startUntil(isReady: (live: readonly number[]) => boolean): Promise<void> {
    const { program, heapMb, optimized, root } = this.#setup;
    const settingsFile = join(this.#place.directory, 'server.properties');
    await writeFile(settingsFile, propertiesText(brokerSettings(this.#place, this.#config)));
    const compiler = optimized ? [] : ['-XX:TieredStopAtLevel=1'];
    await this.run({
      program: program.java,
      args: [`-Xmx${heapMb}m`, ...compiler, ...program.javaArgs, 'kafka.Kafka', settingsFile],
      directory: root,
      ready: async () => {
        const live = await liveBrokers(this.#place.ports.plain);
        return live !== null && isReady(live);
      },
      code: 'UMBUS_KAFKA_UNREACHABLE',
    });
  }

  async start(config?: Readonly<Record<string, string>>): Promise<void> {
    this.#config = { ...this.#config, ...config };
    await this.startUntil(live => live.includes(this.nodeId));
  }

  async resizeLogDir(bytes: number): Promise<void> {
    assert(this.#mounted, 'The directory of the broker has no size of its own.');
    await mount(['-o', `remount,size=${bytes}`, this.logDir]);
  }

  /** Ends it and gives back its file system. */
  async dispose(): Promise<void> {
    await this.kill();
    if (this.#mounted) await run('umount', ['-l', this.logDir]);
    this.#mounted = false;
  }
}

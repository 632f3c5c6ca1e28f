import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf, UmbusError } from '../../core/errors.ts';
import { classArchive } from './class-archive.ts';
import { cachedDirectory } from './data-template.ts';
import { classPathOf, ensureJava, type Java, mavenFiles } from './java-program.ts';
import type { KafkaUser } from './kafka-security.ts';
import { propertiesText } from './properties-text.ts';

const run = promisify(execFile);

/** Version of Apache Kafka that throw-away brokers run. */
export const KAFKA_VERSION = '4.3.1';
/** Changes when the cached directories are made in another way. */
const EDITION = 1;
/** The binding is the one for slf4j-api 1.7, which Kafka brings. */
const DEPENDENCIES = [
  `org.apache.kafka:kafka_2.13:${KAFKA_VERSION}`,
  'org.apache.logging.log4j:log4j-core:2.25.3',
  'org.apache.logging.log4j:log4j-slf4j-impl:2.25.3',
];
const LOGGING = propertiesText({
  status: 'error',
  'appender.out.type': 'Console',
  'appender.out.name': 'out',
  'appender.out.layout.type': 'PatternLayout',
  'appender.out.layout.pattern': '%d %p %m (%c{1})%n%throwable',
  'rootLogger.level': 'info',
  'rootLogger.appenderRef.out.ref': 'out',
});
const UNREACHABLE = 'UMBUS_KAFKA_UNREACHABLE';

/** Kafka's jars and the Java that runs them. */
export interface KafkaProgram {
  readonly version: string;
  readonly java: string;
  /** Arguments of java that come before the name of the class. */
  readonly javaArgs: readonly string[];
  /** What a format of a node's directories writes besides their identity: the features of the cluster. */
  readonly bootstrapFile: string;
}

function javaArgs(classPath: string, jarDirectory: string): readonly string[] {
  return [
    '-XX:+UseSerialGC',
    '-XX:+ExitOnOutOfMemoryError',
    '-Djava.awt.headless=true',
    '-Dlog4j2.disableJmx=true',
    `-Dlog4j2.configurationFile=${join(jarDirectory, 'log4j2.properties')}`,
    '-cp',
    classPath,
  ];
}

/**
 * Runs Kafka's own format for one node and copies the bootstrap file that it writes to `target`. Users can log in with SCRAM from
 * the first start on. Errors: UMBUS_KAFKA_UNREACHABLE.
 */
export async function writeBootstrapFile(
  program: Pick<KafkaProgram, 'java' | 'javaArgs'>,
  users: readonly KafkaUser[],
  target: string,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'umbus-kafka-format-'));
  const settingsFile = join(directory, 'server.properties');
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': '1@127.0.0.1:9093',
    listeners: 'PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(directory, 'data'),
  };
  const scram = users.flatMap(({ username, password }) =>
    ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap(mechanism => [
      '--add-scram',
      `${mechanism}=[name=${username},password=${password}]`,
    ]),
  );
  const format = ['kafka.tools.StorageTool', 'format', '-t', newKafkaId(), '-c', settingsFile, ...scram];
  try {
    await writeFile(settingsFile, propertiesText(settings));
    await run(program.java, [...program.javaArgs, ...format]);
    await copyFile(join(directory, 'data', 'bootstrap.checkpoint'), target);
  } catch (error) {
    // The command line, which the error repeats, holds passwords.
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : messageOf(error);
    throw new UmbusError(UNREACHABLE, `Kafka could not format a directory: ${said}`);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A new id of a cluster or directory: 16 random bytes in base64url without padding, not starting with a hyphen. */
export function newKafkaId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  // The first six bits are the first character; below 62 it is a letter or digit.
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return Buffer.from(bytes).toString('base64url');
}

/** Downloads Kafka into the cache when it is not there, and formats a directory once. Errors: UMBUS_KAFKA_UNREACHABLE. */
export async function kafkaProgram(
  progress: (line: string) => void,
): Promise<KafkaProgram & { readonly runtime: Java }> {
  const java = await ensureJava(UNREACHABLE, progress);
  const jars = await mavenFiles(
    {
      name: `kafka-${KAFKA_VERSION}-${EDITION}`,
      title: `Apache Kafka ${KAFKA_VERSION}`,
      dependencies: DEPENDENCIES,
      code: UNREACHABLE,
      complete: directory => writeFile(join(directory, 'log4j2.properties'), LOGGING),
    },
    progress,
  );
  const program = { java: java.path, javaArgs: javaArgs(await classPathOf(jars), jars) };
  const formatted = await cachedDirectory(`kafka-format-${KAFKA_VERSION}-${EDITION}`, directory =>
    writeBootstrapFile(program, [], join(directory, 'bootstrap.checkpoint')),
  );
  return {
    ...program,
    version: KAFKA_VERSION,
    bootstrapFile: join(formatted, 'bootstrap.checkpoint'),
    runtime: java,
  };
}

/** The program, loading its classes from an archive that a `training` run made. */
export async function withClassArchive(
  program: KafkaProgram & { readonly runtime: Java },
  training: (program: KafkaProgram) => Promise<void>,
  progress: (line: string) => void,
): Promise<KafkaProgram> {
  const withArgs = (args: readonly string[]) => ({ ...program, javaArgs: [...args, ...program.javaArgs] });
  const name = `kafka-${KAFKA_VERSION}-${EDITION}-java-${program.runtime.version}`;
  return withArgs(await classArchive(name, javaArg => training(withArgs([javaArg])), progress));
}

/** Lays the bootstrap file and the identity of a node in its directories, as Kafka's format does. */
export async function formatNode(
  node: { readonly clusterId: string; readonly nodeId: number },
  bootstrapFile: string,
  directories: { readonly metadata: string; readonly log: string },
): Promise<void> {
  for (const directory of [directories.metadata, directories.log]) {
    const identity = {
      version: '1',
      'cluster.id': node.clusterId,
      'node.id': String(node.nodeId),
      'directory.id': newKafkaId(),
    };
    await writeFile(join(directory, 'meta.properties'), propertiesText(identity));
  }
  await writeFile(join(directories.metadata, 'bootstrap.checkpoint'), await readFile(bootstrapFile));
}

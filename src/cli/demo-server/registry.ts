import { execFile } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { UmbusError } from '../../core/errors.ts';
import { classArchive } from './class-archive.ts';
import { ensureJava, mavenFiles } from './java-program.ts';
import { type SingleServer, type SingleServerKind, startSingle } from './single-server.ts';

const run = promisify(execFile);

/** Version of Apicurio Registry: the newest on Maven Central that runs on Java 17, which Debian 12 has; 3.3 needs Java 21. */
export const REGISTRY_VERSION = '3.0.9';
const EDITION = 1;
const CODE = 'UMBUS_REGISTRY_UNREACHABLE';
const ANSWER_DEADLINE_MS = 5_000;
const CONFLUENT_API = '/apis/ccompat/v7';

/** A throw-away schema registry: Apicurio, which serves the API of Confluent's registry. */
export interface RegistryServer extends SingleServer {
  /** Version of Apicurio Registry, for example `3.0.9`. */
  readonly version: string;
  /** Where the API of Confluent's registry begins, for example `http://127.0.0.1:12345/apis/ccompat/v7`. */
  readonly url: string;
}

function baseUrl(port: number): string {
  return `http://127.0.0.1:${port}${CONFLUENT_API}`;
}

async function serves(port: number): Promise<boolean> {
  try {
    const answer = await fetch(`${baseUrl(port)}/subjects`, {
      signal: AbortSignal.timeout(ANSWER_DEADLINE_MS),
    });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}

async function unpack(directory: string): Promise<void> {
  const archive = (await readdir(directory)).find(name => name.endsWith('.tar.gz'));
  if (archive === undefined) throw new UmbusError(CODE, "Maven did not bring Apicurio Registry's archive.");
  await run('tar', ['-xzf', archive], { cwd: directory });
  await rm(join(directory, archive));
}

async function runnerIn(directory: string): Promise<string> {
  const runner = (await readdir(directory)).find(name => name.endsWith('-runner.jar'));
  if (runner === undefined) throw new UmbusError(CODE, 'The unpacked Apicurio Registry has no jar to run.');
  return join(directory, runner);
}

function registryKind(java: string, runner: string, moreArgs: readonly string[]): SingleServerKind {
  return {
    prefix: 'umbus-registry-',
    command: async ({ dataDir, port }) => ({
      program: java,
      args: [
        ...moreArgs,
        '-Xmx384m',
        '-XX:+UseSerialGC',
        '-XX:TieredStopAtLevel=1',
        '-Dquarkus.http.host=127.0.0.1',
        `-Dquarkus.http.port=${port}`,
        // A file, so that schemas and their ids outlive a kill; each commit is written at once.
        `-Dapicurio.datasource.url=jdbc:h2:file:${join(dataDir, 'registry')};WRITE_DELAY=0`,
        ...['-jar', runner],
      ],
      ready: () => serves(port),
      code: CODE,
    }),
  };
}

/**
 * Starts a throw-away schema registry without login and without a rule of compatibility. Disposing it kills it and removes its
 * data. It is downloaded once (110 MB); Java and Maven are installed as for Kafka. Errors: UMBUS_REGISTRY_UNREACHABLE.
 */
export async function startRegistry(
  options: { readonly progress?: (line: string) => void } = {},
): Promise<RegistryServer> {
  const { progress = () => {} } = options;
  const java = await ensureJava(CODE, progress);
  const name = `apicurio-registry-${REGISTRY_VERSION}-${EDITION}`;
  const directory = await mavenFiles(
    {
      name,
      title: `Apicurio Registry ${REGISTRY_VERSION}`,
      archive: `io.apicurio:apicurio-registry-app:${REGISTRY_VERSION}:tar.gz:all`,
      code: CODE,
      complete: unpack,
    },
    progress,
  );
  const runner = await runnerIn(directory);
  const training = async (javaArg: string) => {
    await using server = await startSingle(registryKind(java.path, runner, [javaArg]));
    await server.stop();
  };
  const archived = await classArchive(`${name}-java-${java.version}`, training, progress);
  const server = await startSingle(registryKind(java.path, runner, archived));
  return Object.assign(server, { version: REGISTRY_VERSION, url: baseUrl(server.port) });
}

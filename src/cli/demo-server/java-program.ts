import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type ErrorCode, messageOf, UmbusError } from '../../core/errors.ts';
import { cacheDir, cachedDirectory } from './data-template.ts';
import { withInstallLock } from './install-lock.ts';
import { ensurePrograms, findProgram } from './programs.ts';

const run = promisify(execFile);

const OLDEST_JAVA = 17;
const DOWNLOAD_DEADLINE_MS = 10 * 60_000;

/** A Java runtime. */
export interface Java {
  readonly path: string;
  /** For example `17.0.15`. */
  readonly version: string;
}

async function findJava(): Promise<Java | null> {
  const path = findProgram('java');
  if (path === null) return null;
  // java writes its version to standard error.
  const said = await run(path, ['-version']).catch(() => null);
  const version = /version "([^"]+)"/.exec(said?.stderr ?? '')?.[1];
  if (version === undefined || Number.parseInt(version, 10) < OLDEST_JAVA) return null;
  return { path, version };
}

/** Finds Java 17 or newer, or installs it as root on Debian and Ubuntu. Errors: `code`. */
export function ensureJava(code: ErrorCode, progress: (line: string) => void): Promise<Java> {
  return ensurePrograms(
    {
      find: findJava,
      title: 'Java',
      program: `java of version ${OLDEST_JAVA} or newer`,
      debianPackages: ['default-jre-headless'],
      byHand: `Install a Java runtime of version ${OLDEST_JAVA} or newer`,
      code,
    },
    progress,
  );
}

function ensureMaven(code: ErrorCode, progress: (line: string) => void): Promise<string> {
  return ensurePrograms(
    {
      find: () => findProgram('mvn'),
      title: 'Maven',
      program: 'mvn',
      debianPackages: ['maven'],
      byHand: 'Install Apache Maven',
      code,
    },
    progress,
  );
}

function pom(dependencies: readonly string[]): string {
  const elements = dependencies.map(dependency => {
    const [group, artifact, version] = dependency.split(':');
    return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion>
<groupId>umbus</groupId><artifactId>throwaway-server</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
${elements.join('\n')}
</dependencies>
</project>
`;
}

/** Files of Maven artifacts to have in the cache. */
export interface MavenFiles {
  /** Name of the directory in the cache; it changes with the content. */
  readonly name: string;
  /** Subject of the messages, for example `Apache Kafka 4.3.1`. */
  readonly title: string;
  /** Jars, `group:artifact:version`; what they need at run time comes with them. */
  readonly dependencies?: readonly string[];
  /** One file that comes alone, `group:artifact:version:type:classifier`. */
  readonly archive?: string;
  readonly code: ErrorCode;
  /** Completes the directory, which holds the files, before others see it. */
  readonly complete?: (directory: string) => Promise<void>;
}

async function download(files: MavenFiles, directory: string, maven: string): Promise<void> {
  const pomFile = join(directory, 'pom.xml');
  await writeFile(pomFile, pom(files.dependencies ?? []));
  const copied =
    files.archive === undefined
      ? ['dependency:copy-dependencies', '-DincludeScope=runtime']
      : ['dependency:copy', `-Dartifact=${files.archive}`];
  const args = ['-q', '-B', '-f', pomFile, ...copied, `-DoutputDirectory=${directory}`];
  try {
    await run(maven, args, { timeout: DOWNLOAD_DEADLINE_MS });
  } catch (cause) {
    // Maven writes its errors to standard output.
    const said = cause instanceof Error && 'stdout' in cause ? String(cause.stdout).trim() : messageOf(cause);
    throw new UmbusError(files.code, `Maven could not download ${files.title}: ${said}`, { cause });
  }
  await rm(pomFile);
}

/**
 * Gives the cache's directory of these files; Maven downloads them when it is not there yet. Of several processes that ask at once
 * one downloads. Errors: `code` when Maven is missing or fails.
 */
export async function mavenFiles(files: MavenFiles, progress: (line: string) => void): Promise<string> {
  const { name, title, code } = files;
  const target = join(cacheDir, name);
  if (existsSync(target)) return target;
  return withInstallLock(join(cacheDir, `${name}.lock`), () =>
    cachedDirectory(name, async draft => {
      const maven = await ensureMaven(code, progress);
      progress(`Downloading ${title} with Maven.`);
      await download(files, draft, maven);
      await files.complete?.(draft);
    }),
  );
}

/** A class path of all jars of a directory, in an order that does not change: an archive of classes holds for one order. */
export async function classPathOf(directory: string): Promise<string> {
  const jars = (await readdir(directory)).filter(name => name.endsWith('.jar')).sort();
  return jars.map(name => join(directory, name)).join(':');
}

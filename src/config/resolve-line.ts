import { resolve } from 'node:path';
import type {
  CoordinationSettings,
  Line,
  MaskingSettings,
  MetricsSettings,
  RegistrySettings,
} from './line.ts';
import { DEFAULT_LOG_BYTES, type WrittenLine } from './line-schema.ts';
import type { PathMistake } from './mistakes-of.ts';
import { type MysqlAddress, parseMysqlUrl } from './mysql-url.ts';
import { alarmsOf } from './resolve-alarms.ts';
import { masksMistakes } from './resolve-masks.ts';
import { createSecretReader, type SecretReader, type Surroundings, secretInFile } from './secrets.ts';

/** A resolved line; to be used only when there are no mistakes. */
export interface Resolution {
  readonly line: Line;
  readonly mistakes: readonly PathMistake[];
  readonly warnings: readonly PathMistake[];
}

/** Fills in what depends on other keys, on files and on the environment. */
export function resolveLine(written: WrittenLine, around: Surroundings): Resolution {
  const secrets = createSecretReader(around);
  const url = written.source.url === null ? null : parseMysqlUrl(written.source.url);
  const address: MysqlAddress =
    url === null || 'problem' in url ? { host: '', port: null, user: null, password: null } : url;
  if (address.password !== null) {
    secrets.warnings.push(secretInFile(['source', 'url'], 'the password stands in the url'));
  }
  const { ds, source, topics } = written;
  const schemas = mapped(written.schemas, ({ masks, ...schema }) => ({
    ...schema,
    masks: Object.entries(masks).map(([pattern, mask]) => ({ pattern, mask })),
  }));
  const masking = maskingOf(written, around, secrets);
  const server: Line['source'] = {
    kind: 'mysql',
    host: source.host ?? address.host,
    port: source.port ?? address.port ?? 3306,
    user: source.user ?? address.user ?? '',
    password: secrets.secretOf(source.password, ['source', 'password']) ?? address.password ?? '',
    serverId: source.serverId ?? serverIdOf(ds),
    tls: secrets.tlsOf(source.tls, ['source', 'tls']),
    start: source.start,
  };
  const line: Line = {
    ds,
    source: server,
    schemas,
    log: logOf(written, around, secrets),
    guarantee: written.guarantee,
    coordination: coordinationOf(written),
    registry: registryOf(written, secrets),
    heartbeat: heartbeatOf(written),
    pull: pullOf(written, server, secrets),
    signals: written.signals,
    masking,
    topics: {
      partitions: topics.partitions,
      retentionMs: topics.retention,
      retentionBytes: topics.retentionBytes,
    },
    extractor: written.extractor,
    appender: written.appender,
    alarms: alarmsOf(written, secrets),
    metrics: metricsOf(written, secrets),
  };
  const mistakes = [...secrets.mistakes, ...masksMistakes(schemas, masking)];
  return { line, mistakes, warnings: secrets.warnings };
}

function logOf(written: WrittenLine, around: Surroundings, secrets: SecretReader): Line['log'] {
  const { kafka, embedded } = written.log;
  if (kafka !== null) {
    const { sasl, tls, sessionTimeout, ...rest } = kafka;
    const at = ['log', 'kafka'];
    return {
      kind: 'kafka',
      ...rest,
      sessionTimeoutMs: sessionTimeout,
      tls: secrets.tlsOf(tls, [...at, 'tls']),
      sasl:
        sasl === null
          ? null
          : { ...sasl, password: secrets.secretOf(sasl.password, [...at, 'sasl', 'password']) ?? '' },
    };
  }
  return {
    kind: 'embedded',
    dir: resolve(around.directory, embedded?.dir ?? `.umbus/${written.ds}`),
    maxBytes: embedded?.maxBytes ?? DEFAULT_LOG_BYTES,
  };
}

function coordinationOf({ coordination: { zookeeper } }: WrittenLine): CoordinationSettings {
  if (zookeeper === null) return { kind: 'log' };
  const { servers, root, sessionTimeout } = zookeeper;
  return { kind: 'zookeeper', servers, root, sessionTimeoutMs: sessionTimeout };
}

function heartbeatOf({ heartbeat }: WrittenLine): Line['heartbeat'] {
  if (heartbeat === null) return null;
  const { timeout, ...rest } = heartbeat;
  return { ...rest, timeoutMs: timeout };
}

function pullOf({ pull }: WrittenLine, source: Line['source'], secrets: SecretReader): Line['pull'] {
  const { backOff, replica, ...rest } = pull;
  const { threadsRunning, replicationLag, lineLag } = backOff;
  const password = secrets.secretOf(replica?.password ?? null, ['pull', 'replica', 'password']);
  return {
    ...rest,
    replica:
      replica === null
        ? null
        : {
            host: replica.host,
            port: replica.port ?? source.port,
            user: replica.user ?? source.user,
            password: password ?? source.password,
            timeoutMs: replica.timeout,
          },
    backOff: { threadsRunning, replicationLagMs: replicationLag, lineLagMs: lineLag },
  };
}

function metricsOf({ metrics }: WrittenLine, secrets: SecretReader): MetricsSettings {
  const { every, tables, prometheus, influxdb, otlp } = metrics;
  return {
    everyMs: every,
    maxTables: tables,
    prometheus: prometheus?.listen ?? null,
    influxdb: influxdb === null ? null : influxdbOf(influxdb, secrets),
    otlp: otlp === null ? null : otlpOf(otlp, secrets),
  };
}

function otlpOf(
  { headers, ...rest }: NonNullable<WrittenLine['metrics']['otlp']>,
  secrets: SecretReader,
): MetricsSettings['otlp'] {
  const at = ['metrics', 'otlp', 'headers'];
  const read = Object.entries(headers).map(
    ([name, ref]) => [name, secrets.secretOf(ref, [...at, name]) ?? ''] as const,
  );
  return { ...rest, headers: Object.fromEntries(read) };
}

function influxdbOf(
  { password, every, ...rest }: NonNullable<WrittenLine['metrics']['influxdb']>,
  secrets: SecretReader,
): MetricsSettings['influxdb'] {
  return {
    ...rest,
    everyMs: every,
    password: secrets.secretOf(password, ['metrics', 'influxdb', 'password']),
  };
}

function registryOf({ registry }: WrittenLine, secrets: SecretReader): RegistrySettings | null {
  if (registry === null) return null;
  return { ...registry, password: secrets.secretOf(registry.password, ['registry', 'password']) };
}

function maskingOf({ masking }: WrittenLine, around: Surroundings, secrets: SecretReader): MaskingSettings {
  // A key that is not there is a mistake already; that it is short need not be one as well.
  const keys = mapped(
    masking.keys,
    (ref, name) => secrets.secretOf(ref, ['masking', 'keys', name]) ?? '?'.repeat(64),
  );
  return { keys, timeoutMs: masking.timeout, directory: resolve(around.directory) };
}

function mapped<A, B>(
  record: Readonly<Record<string, A>>,
  change: (value: A, name: string) => B,
): Readonly<Record<string, B>> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value, name)]));
}

/**
 * A replica server id for a line that names none: stable, from 1,000,000,000 up, where few servers and replicas have theirs. FNV-1a of the
 * name of the data source.
 */
export function serverIdOf(ds: string): number {
  let hash = 0x811c9dc5;
  for (const character of ds) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return 1_000_000_000 + (hash % 3_000_000_000);
}

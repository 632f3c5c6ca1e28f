import type { TestContext } from 'node:test';
import type { DatabaseServer, DatabaseServerOptions } from '../../src/cli/demo-server/database-server.ts';
import { startKafka } from '../../src/cli/demo-server/kafka.ts';
import type { KafkaBroker } from '../../src/cli/demo-server/kafka-broker.ts';
import type { KafkaCluster, KafkaOptions } from '../../src/cli/demo-server/kafka-cluster.ts';
import { startMariadb } from '../../src/cli/demo-server/mariadb.ts';
import { type RegistryServer, startRegistry } from '../../src/cli/demo-server/registry.ts';
import { startZookeeper, type ZookeeperServer } from '../../src/cli/demo-server/zookeeper.ts';
import { messageOf } from '../../src/core/errors.ts';
import { startMysql } from './servers/mysql.ts';
import { startMysql56 } from './servers/mysql56.ts';

export type {
  DatabaseServer as Server,
  DatabaseServerOptions as ServerOptions,
  KafkaBroker,
  KafkaCluster,
  KafkaOptions,
  RegistryServer,
  ZookeeperServer,
};
export { startKafka, startMariadb, startMysql, startMysql56, startRegistry, startZookeeper };

/** The kinds of server that integration tests run on: both write full row metadata. */
export const serverKinds = ['mariadb', 'mysql'] as const;
/** One of {@link serverKinds}. */
export type ServerKindName = (typeof serverKinds)[number];

/** The same and MySQL 5.6, whose binlog has no row metadata. */
export const allServerKinds = [...serverKinds, 'mysql56'] as const;
/** One of {@link allServerKinds}. */
export type AnyServerKind = (typeof allServerKinds)[number];

const starters = { mariadb: startMariadb, mysql: startMysql, mysql56: startMysql56 };

/** What a server is asked for with; a test's context has it. */
type Skippable = Pick<TestContext, 'skip'>;

/** What `start` gives; where it fails, null and a loud skip, or the failure when the environment variable CI is set. */
export async function orSkip<T>(test: Skippable, title: string, start: () => Promise<T>): Promise<T | null> {
  try {
    return await start();
  } catch (error) {
    const ci = process.env['CI'];
    if (ci !== undefined && ci !== '' && ci !== 'false') throw error;
    console.error(`SKIPPED, NO ${title.toUpperCase()} SERVER: ${messageOf(error)}`);
    // Only on a machine of somebody who cannot install it: with CI set the line above has thrown.
    test.skip(`no ${title} server: ${messageOf(error)}`);
    return null;
  }
}

/**
 * Starts a server for a test, or says loudly that the test was skipped and gives null. With the environment variable CI set, a
 * server that is missing is a failure. The caller disposes the server: `await using`.
 */
export function requireServer(
  test: Skippable,
  kind: AnyServerKind,
  options: DatabaseServerOptions = {},
): Promise<DatabaseServer | null> {
  return orSkip(test, kind, () => starters[kind](options));
}

/** Starts a Kafka cluster for a test, with the same promise as {@link requireServer}. */
export function requireKafka(test: Skippable, options: KafkaOptions = {}): Promise<KafkaCluster | null> {
  return orSkip(test, 'Kafka', () => startKafka(options));
}

/** Starts a ZooKeeper for a test, with the same promise as {@link requireServer}. */
export function requireZookeeper(test: Skippable): Promise<ZookeeperServer | null> {
  return orSkip(test, 'ZooKeeper', startZookeeper);
}

/** Starts a schema registry for a test, with the same promise as {@link requireServer}. */
export function requireRegistry(test: Skippable): Promise<RegistryServer | null> {
  return orSkip(test, 'schema registry', startRegistry);
}

/**
 * The one place that touches kafkajs. Of it umbus uses the connections: sockets, TLS, SASL, the negotiation of versions, and the matching of answers to
 * requests with their timeouts. Its consumer, producer and record codec are not used, because of faults that cannot be worked around from outside:
 * - the consumer has no callback before partitions go, joins again in the middle of a batch, and knows eager sharing only;
 * - it takes every record whose key is four zero bytes for an abort marker, and opens one aborted transaction a record, so that aborted records get through;
 * - an empty batch, as compaction leaves it, stops it for ever;
 * - the producer takes a timestamp of 0 for none, sorts timestamps as text, and retries CONCURRENT_TRANSACTIONS in one of four places;
 * - OffsetFetch and TxnOffsetCommit are too old to wait for open transactions and to name the generation of the member;
 * - one topic without a leader anywhere in the cluster fails every refresh of metadata.
 * Connections are not part of kafkajs's documented interface. A partition assigner, which is, is handed the cluster object that makes them. The
 * version of kafkajs is pinned, and what is reached through is checked at the first use.
 */
import { Buffer } from 'node:buffer';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Kafka, type KafkaConfig, logLevel, type SASLOptions } from 'kafkajs';
import { UmbusError } from '../../core/errors.ts';
import { type ApiCall, FETCH } from './calls.ts';
import { connectionError } from './connection-errors.ts';
import type { KafkaLogOptions } from './options.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const AUTHENTICATION_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 15_000;
const KEEP_ALIVE_MS = 30_000;
/** Which connection of a pool kafkajs sends Fetch on. */
const FETCH_CONNECTION = 1;

/** kafkajs's `Connection`. */
interface ClientConnection {
  isConnected(): boolean;
  rejectRequests(error: Error): void;
  readonly requestQueue: { scheduleCheckPendingRequests: () => void };
  readonly socket?: Socket;
}

/** kafkajs's `ConnectionPool`: one connection for Fetch and one for all else. */
interface ClientPool {
  getConnection(index: number): Promise<ClientConnection>;
  send(exchange: ClientExchange): Promise<{ readonly answer: unknown }>;
  destroy(): Promise<void>;
  readonly pool: readonly ClientConnection[];
}

/** kafkajs's `Broker`. */
interface ClientBroker {
  connect(): Promise<void>;
  readonly versions: Readonly<Record<number, { readonly maxVersion: number; readonly minVersion: number }>>;
  readonly connectionPool: ClientPool;
}

/** What kafkajs sends: an encoder is an object with its bytes in `buf` and `buffer`. */
interface ClientExchange {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    readonly encode: () => Promise<{ readonly buf: Buffer; readonly buffer: Buffer }>;
  };
  readonly response: {
    readonly decode: (payload: Buffer) => Promise<{ readonly answer: unknown }>;
    readonly parse: (decoded: { readonly answer: unknown }) => Promise<{ readonly answer: unknown }>;
  };
  readonly requestTimeout: number;
  readonly logResponseError: false;
}

/** kafkajs's `Cluster`. */
interface ClientCluster {
  readonly rootLogger: unknown;
  readonly connectionPoolBuilder: {
    build(address: { readonly host: string; readonly port: number }): Promise<ClientPool>;
  };
  readonly brokerPool: {
    createBroker(options: { readonly connectionPool: ClientPool; readonly logger: unknown }): ClientBroker;
  };
}

/** A connection to one broker. */
export interface Link {
  /** `host:port`. */
  readonly address: string;
  /** Errors: UMBUS_KAFKA_UNREACHABLE when no answer comes, UMBUS_KAFKA_SETTING when the broker does not know the version. */
  send<Answer>(call: ApiCall<Answer>): Promise<Answer>;
  /** Fails what is in flight. */
  close(): Promise<void>;
}

/** Makes connections. */
export class Connections {
  readonly #cluster: ClientCluster;

  constructor(options: KafkaLogOptions) {
    this.#cluster = clusterOf(options);
  }

  /** Errors: UMBUS_KAFKA_UNREACHABLE, UMBUS_KAFKA_AUTH, UMBUS_KAFKA_TLS. */
  async open(host: string, port: number): Promise<Link> {
    const address = `${host}:${port}`;
    const connectionPool = await this.#cluster.connectionPoolBuilder.build({ host, port });
    for (const { requestQueue } of connectionPool.pool) {
      // After each answer it sets a timer, for a negative time, to send what a throttle holds back. Nothing is held back: brokers throttle by themselves.
      requestQueue.scheduleCheckPendingRequests = () => {};
    }
    const broker = this.#cluster.brokerPool.createBroker({
      connectionPool,
      logger: this.#cluster.rootLogger,
    });
    try {
      await broker.connect();
    } catch (error) {
      await destroy(connectionPool);
      throw connectionError(error, address);
    }
    return linkOf(broker, address);
  }
}

function linkOf(broker: ClientBroker, address: string): Link {
  const { connectionPool } = broker;
  let fetching: Promise<ClientConnection> | null = null;
  let closed = false;
  // kafkajs would connect anew by itself, and twice when two requests come at a time. So a link that has lost its connection stays broken.
  const ready = async (key: number): Promise<void> => {
    if (key === FETCH) {
      fetching ??= connectionPool.getConnection(FETCH_CONNECTION);
      await fetching;
    }
    const connection = connectionPool.pool[key === FETCH ? FETCH_CONNECTION : 0];
    if (closed || connection?.isConnected() !== true) throw new Error('The connection has ended.');
  };
  return {
    address,
    async send<Answer>(call: ApiCall<Answer>): Promise<Answer> {
      const range = broker.versions[call.key];
      if (range === undefined || range.maxVersion < call.version || range.minVersion > call.version) {
        throw new UmbusError(
          'UMBUS_KAFKA_SETTING',
          `The broker ${address} does not know ${call.name} in version ${call.version}; Kafka 2.5 or later is needed.`,
        );
      }
      let answer: { readonly value: Answer } | null = null;
      try {
        await ready(call.key);
        await connectionPool.send({
          request: {
            apiKey: call.key,
            apiVersion: call.version,
            apiName: call.name,
            encode: async () => ({ buf: call.body, buffer: call.body }),
          },
          response: {
            decode: async payload => {
              answer = { value: call.answer(payload) };
              return { answer };
            },
            parse: async decoded => decoded,
          },
          requestTimeout: REQUEST_TIMEOUT_MS + call.waitMs,
          logResponseError: false,
        });
      } catch (error) {
        throw connectionError(error, address);
      }
      if (answer === null) throw connectionError(new Error('No answer.'), address);
      const { value }: { readonly value: Answer } = answer;
      return value;
    },
    async close() {
      closed = true;
      await destroy(connectionPool);
    },
  };
}

/** kafkajs waits for answers in flight before it closes; a waiting fetch or join would hold that up. */
async function destroy(pool: ClientPool): Promise<void> {
  for (const connection of pool.pool) connection.rejectRequests(new Error('The connection is being closed.'));
  await pool.destroy();
  for (const connection of pool.pool) connection.socket?.destroy();
}

function clusterOf(options: KafkaLogOptions): ClientCluster {
  const config: KafkaConfig = {
    clientId: options.clientId,
    brokers: [...options.brokers],
    connectionTimeout: CONNECT_TIMEOUT_MS,
    authenticationTimeout: AUTHENTICATION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    logLevel: logLevel.NOTHING,
    logCreator: () => () => {},
    socketFactory: ({ host, port, ssl, onConnect }) => {
      const socket =
        options.tls === null
          ? connectTcp({ host, port }, onConnect)
          : connectTls({ ...ssl, host, port, ...(isIP(host) === 0 ? { servername: host } : {}) }, onConnect);
      // Requests are small and answers are waited for: Nagle's algorithm would add 40 ms to some.
      socket.setNoDelay(true);
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
      return socket;
    },
    ...(options.tls === null ? {} : { ssl: tlsOptions(options.tls) }),
    ...(options.sasl === null ? {} : { sasl: saslOptions(options.sasl) }),
  };
  let found: unknown = null;
  new Kafka(config).consumer({
    groupId: 'umbus',
    partitionAssigners: [
      ({ cluster }) => {
        found = cluster;
        return {
          name: 'umbus',
          version: 0,
          assign: async () => [],
          protocol: () => ({ name: 'umbus', metadata: Buffer.alloc(0) }),
        };
      },
    ],
  });
  if (!isClientCluster(found)) {
    throw new UmbusError(
      'UMBUS_INTERNAL',
      'This version of kafkajs is not the one that umbus is made for: 2.2.4.',
    );
  }
  return found;
}

function isClientCluster(value: unknown): value is ClientCluster {
  if (typeof value !== 'object' || value === null) return false;
  if (!('rootLogger' in value && 'connectionPoolBuilder' in value && 'brokerPool' in value)) return false;
  const { connectionPoolBuilder, brokerPool } = value;
  return (
    typeof connectionPoolBuilder === 'object' &&
    connectionPoolBuilder !== null &&
    'build' in connectionPoolBuilder &&
    typeof brokerPool === 'object' &&
    brokerPool !== null &&
    'createBroker' in brokerPool
  );
}

function tlsOptions(tls: NonNullable<KafkaLogOptions['tls']>) {
  return {
    rejectUnauthorized: tls.verify,
    ...(tls.ca === null ? {} : { ca: [tls.ca] }),
    ...(tls.cert === null ? {} : { cert: tls.cert }),
    ...(tls.key === null ? {} : { key: tls.key }),
  };
}

function saslOptions({ mechanism, username, password }: NonNullable<KafkaLogOptions['sasl']>): SASLOptions {
  switch (mechanism) {
    case 'plain':
      return { mechanism, username, password };
    case 'scram-sha-256':
      return { mechanism, username, password };
    case 'scram-sha-512':
      return { mechanism, username, password };
  }
}

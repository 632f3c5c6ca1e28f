import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf, UmbusError } from '../../core/errors.ts';

const run = promisify(execFile);

/** A user that may log in with PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512. */
export interface KafkaUser {
  readonly username: string;
  readonly password: string;
}

/** PEM texts for a client. */
export interface ClientCertificates {
  /** Of the authority that signed the brokers' certificates, for 127.0.0.1 and localhost, and the client's. */
  readonly ca: string;
  readonly cert: string;
  /** Not encrypted, PKCS #8. */
  readonly key: string;
}

/** What a cluster asks of its clients. */
export interface KafkaSecurityOptions {
  /** `true`: TLS on the client listener; `client-certificate`: and clients must have a certificate. */
  readonly tls?: boolean | 'client-certificate';
  /** Login on the client listener. Names and passwords are letters, digits, `_`, `-`, `.` and `=`. */
  readonly sasl?: { readonly users: readonly KafkaUser[] };
  /**
   * Whether rights are checked: users of the client listener then have none until ACLs give them some; the plain listener may
   * do all.
   */
  readonly acls?: boolean;
}

/** How the client listener is set up. */
export interface KafkaSecurity {
  readonly protocol: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';
  readonly settings: Readonly<Record<string, string>>;
  readonly certificates: ClientCertificates | null;
  readonly users: readonly KafkaUser[];
}

const ACL_SETTINGS = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  // Who comes over the plain listener, the brokers themselves too, has no name.
  'super.users': 'User:ANONYMOUS',
};

async function openssl(directory: string, args: readonly string[]): Promise<void> {
  try {
    await run('openssl', [...args], { cwd: directory });
  } catch (cause) {
    throw new UmbusError(
      'UMBUS_KAFKA_UNREACHABLE',
      `openssl could not make certificates: ${messageOf(cause)}`,
      {
        cause,
      },
    );
  }
}

async function makeCertificates(directory: string): Promise<ClientCertificates> {
  const key = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '30',
  ];
  const signed = (name: string, ...more: readonly string[]) =>
    openssl(directory, [
      ...[...key, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-subj', `/CN=${name}`],
      ...['-keyout', `${name}.key`, '-out', `${name}.pem`, '-addext', 'basicConstraints=critical,CA:FALSE'],
      ...more,
    ]);
  await openssl(directory, [
    ...[...key, '-subj', '/CN=umbus throw-away authority', '-keyout', 'ca.key', '-out', 'ca.pem'],
    ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
  ]);
  await signed('broker', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost');
  await signed('client');
  const text = (name: string) => readFile(join(directory, name), 'utf8');
  await writeFile(
    join(directory, 'broker-store.pem'),
    (await text('broker.key')) + (await text('broker.pem')),
  );
  return { ca: await text('ca.pem'), cert: await text('client.pem'), key: await text('client.key') };
}

function tlsSettings(directory: string, clientCertificate: boolean): Record<string, string> {
  const listener = 'listener.name.client.ssl';
  return {
    [`${listener}.keystore.type`]: 'PEM',
    [`${listener}.keystore.location`]: join(directory, 'broker-store.pem'),
    [`${listener}.truststore.type`]: 'PEM',
    [`${listener}.truststore.location`]: join(directory, 'ca.pem'),
    [`${listener}.client.auth`]: clientCertificate ? 'required' : 'none',
  };
}

function saslSettings(users: readonly KafkaUser[]): Record<string, string> {
  const listener = 'listener.name.client';
  const module = 'org.apache.kafka.common.security';
  const passwords = users.map(({ username, password }) => ` user_${username}="${password}"`);
  const scram = `${module}.scram.ScramLoginModule required;`;
  return {
    [`${listener}.sasl.enabled.mechanisms`]: 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    [`${listener}.plain.sasl.jaas.config`]: `${module}.plain.PlainLoginModule required${passwords.join('')};`,
    [`${listener}.scram-sha-256.sasl.jaas.config`]: scram,
    [`${listener}.scram-sha-512.sasl.jaas.config`]: scram,
  };
}

/** Makes the client listener's settings, and in `directory` the certificates they need. */
export async function kafkaSecurity(
  options: KafkaSecurityOptions,
  directory: string,
): Promise<KafkaSecurity> {
  const { tls = false, sasl, acls = false } = options;
  const certificates = tls === false ? null : await makeCertificates(directory);
  const transport = certificates === null ? 'PLAINTEXT' : 'SSL';
  return {
    protocol: sasl === undefined ? transport : `SASL_${transport}`,
    settings: {
      ...(tls === false ? {} : tlsSettings(directory, tls === 'client-certificate')),
      ...(sasl === undefined ? {} : saslSettings(sasl.users)),
      ...(acls ? ACL_SETTINGS : {}),
    },
    certificates,
    users: sasl?.users ?? [],
  };
}

import { mysqlUrl } from '../../config/mysql-url.ts';
import { yamlTextOf } from '../../config/yaml-value.ts';
import { plainText } from '../render/plain-text.ts';

/** What `umbus init` knows of a server. */
export interface ServerFindings {
  readonly ds: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly tls: boolean;
  /** For example `mariadb 10.11.19-MariaDB-log`. */
  readonly product: string;
  readonly serverId: number;
  /** Environment variable for the password; null when the account has none. */
  readonly passwordVariable: string | null;
  /** Brokers, as `host:port`; null for the embedded log. */
  readonly kafka: readonly string[] | null;
  readonly schemas: readonly { readonly name: string; readonly tables: number }[];
  /** Whether the line beats. */
  readonly heartbeat: boolean;
}

/** Schema names that topic names can hold; see the `schemas` key of the data line. */
const usableName = /^[A-Za-z0-9_-]{1,64}$/;

/** Name of the environment variable that holds a line's password. */
export function passwordVariableOf(ds: string): string {
  return `UMBUS_${ds.replaceAll(/[^A-Za-z0-9]/g, '_').toUpperCase()}_PASSWORD`;
}

/** A commented data line file for what was found. It loads as it is. */
export function lineFileText(found: ServerFindings): string {
  const { ds, passwordVariable, serverId } = found;
  const product = plainText(found.product);
  const password =
    passwordVariable === null
      ? `  # The account has no password. When it gets one: password: { env: ${passwordVariableOf(ds)} }`
      : `  # The password stays out of this file: { env: NAME }, or { file: path } for a mounted secret.\n  password: { env: ${passwordVariable} }`;
  return `# Data line ${ds}: what is read from ${product}, and how it is published.
# Every key that is left out has the default that the configuration reference in README gives.
# Next: umbus check --line <this file>, then umbus run --line <this file>.

# Name of the data source; topics begin with it. It cannot change later.
ds: ${yamlTextOf(ds)}

source:
  url: ${yamlTextOf(mysqlUrl(found))}
${password}
  # Replica server id; no other replica of the server may have it.
  serverId: ${serverId}
${found.tls ? '  tls: true\n' : '  # tls: true\n'}\
  # Where to begin when nothing has been read yet: now, earliest, { file: binlog.000042, position: 4 } or { gtid: ... }.
  start: now

# What to publish. In patterns \`*\` stands for any text and \`?\` for one character.
#   tables: ['*']         tables to publish
#   exclude: ['tmp_*']    tables to leave out of them
#   beforeImage: ['*']    tables whose updates carry the row before the update too
${schemasText(found)}
${logText(found)}
topics:
  # A table is always in one partition; more partitions let more tables be worked on at once. It cannot change later.
  partitions: 4
  # The oldest records are dropped when they are older, or a partition larger, than this.
  retention: 7d
  retentionBytes: 10GB

${heartbeatText(found)}
# appender:
#   # Zone of ums_ts_ and of TIMESTAMP columns.
#   timeZone: UTC
`;
}

function heartbeatText({ heartbeat }: ServerFindings): string {
  const about =
    '# Rows that travel with the data and show how late each table is. They need the tables of `umbus init --heartbeat`.\n';
  return heartbeat ? `${about}heartbeat:\n  every: 5s\n` : `${about}# heartbeat:\n#   every: 5s\n`;
}

function logText({ ds, kafka }: ServerFindings): string {
  if (kafka !== null) {
    return `log:
  kafka:
    brokers: [${kafka.map(yamlTextOf).join(', ')}]
    # tls: true
    # sasl: { mechanism: scram-sha-512, username: umbus, password: { env: KAFKA_PASSWORD } }

# exactly-once writes in transactions, for read_committed readers.
# guarantee: exactly-once
`;
  }
  return `log:
  embedded:
    # Relative paths count from the directory of this file.
    dir: .umbus/${ds}
    # The log never grows beyond this; a full log makes the line wait.
    maxBytes: 64GB
`;
}

function schemasText(found: ServerFindings): string {
  const usable = found.schemas.filter(schema => usableName.test(schema.name));
  const others = found.schemas.filter(schema => !usableName.test(schema.name));
  const lines = usable.map(
    ({ name, tables }) =>
      `  # ${tables} table${tables === 1 ? '' : 's'}\n  ${yamlTextOf(name)}: { tables: ['*'] }`,
  );
  if (lines.length === 0)
    lines.push(
      `  # The server has no schema that could be published yet; this one is an example.\n  ${yamlTextOf(found.ds)}: { tables: ['*'] }`,
    );
  for (const { name } of others)
    lines.push(`  # Left out, since topic names cannot hold it: ${JSON.stringify(name)}`);
  return `schemas:\n${lines.join('\n')}\n`;
}

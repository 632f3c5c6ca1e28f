import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type SingleServer, startSingle } from '../../../src/cli/demo-server/single-server.ts';
import { steadyPorts } from '../../../src/cli/demo-server/steady-port.ts';
import { unpackedPackage } from './debian-package.ts';

/** A throw-away InfluxDB 1.x. */
export interface InfluxdbServer extends SingleServer {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  /** Rows of an InfluxQL query, over all series; a row has its time in milliseconds, its tags where they are grouped by, and its fields. */
  query(database: string, influxql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

interface Answer {
  readonly error?: string;
  readonly results: readonly {
    readonly error?: string;
    readonly series?: readonly {
      readonly name: string;
      readonly tags?: Readonly<Record<string, string>>;
      readonly columns: readonly string[];
      readonly values: readonly (readonly unknown[])[];
    }[];
  }[];
}

/** Starts Debian's InfluxDB on free ports of 127.0.0.1, without accounts. Data are kept through kills and stops; disposing removes them. */
export async function startInfluxdb(): Promise<InfluxdbServer> {
  const programs = await unpackedPackage('influxdb');
  const server = await startSingle({
    prefix: 'umbus-influxdb-',
    async command({ root, dataDir, port }) {
      await mkdir(dataDir, { recursive: true });
      const [inside = 0] = await steadyPorts(1);
      const settings = join(root, 'influxdb.conf');
      await writeFile(settings, settingsText(dataDir, port, inside));
      return {
        program: join(programs, 'influxd'),
        args: ['run', '-config', settings],
        ready: () => serves(port),
        code: 'UMBUS_INFLUXDB_UNREACHABLE',
      };
    },
  });
  const url = `http://${server.address}`;
  return Object.assign(server, { url, query: (database: string, text: string) => ask(url, database, text) });
}

function settingsText(dataDir: string, port: number, inside: number): string {
  return [
    'reporting-disabled = true',
    `bind-address = "127.0.0.1:${inside}"`,
    '[meta]',
    `dir = "${join(dataDir, 'meta')}"`,
    '[data]',
    `dir = "${join(dataDir, 'data')}"`,
    `wal-dir = "${join(dataDir, 'wal')}"`,
    '[monitor]',
    'store-enabled = false',
    '[http]',
    `bind-address = "127.0.0.1:${port}"`,
    'log-enabled = false',
    '',
  ].join('\n');
}

async function serves(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/ping`)).status === 204;
  } catch {
    // Not yet.
    return false;
  }
}

async function ask(url: string, database: string, influxql: string) {
  const search = new URLSearchParams({ db: database, epoch: 'ms', q: influxql });
  const response = await fetch(`${url}/query?${search}`, { method: 'POST' });
  // The shape that InfluxDB documents; what is missing fails below.
  const { error, results } = (await response.json()) as Answer;
  const problem = error ?? results.find(result => result.error !== undefined)?.error;
  if (problem !== undefined) throw new Error(`InfluxDB: ${problem} in ${influxql}`);
  return results
    .flatMap(({ series = [] }) => series)
    .flatMap(({ tags = {}, columns, values }) =>
      values.map(row => ({ ...tags, ...Object.fromEntries(columns.map((name, at) => [name, row[at]])) })),
    );
}

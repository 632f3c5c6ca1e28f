import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type SingleServer, startSingle } from '../../../src/cli/demo-server/single-server.ts';
import { unpackedPackage } from './debian-package.ts';

/** Paths of Prometheus's programs. */
export interface PrometheusPrograms {
  readonly server: string;
  readonly tool: string;
}

/** Prometheus from Debian's package. Throws where that cannot be had. */
export async function ensurePrometheus(): Promise<PrometheusPrograms> {
  const root = await unpackedPackage('prometheus');
  return { server: join(root, 'prometheus'), tool: join(root, 'promtool') };
}

/** What `promtool check metrics` says of metrics in text form: its complaints, one a line; '' for none. Throws when it cannot parse them. */
export async function checkMetrics({ tool }: PrometheusPrograms, metrics: string): Promise<string> {
  const child = spawn(tool, ['check', 'metrics'], { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(metrics);
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  // 3: parsed, with complaints of the linter.
  if (child.exitCode !== 0 && child.exitCode !== 3) throw new Error(`promtool cannot parse them: ${err}`);
  return (out + err).trim();
}

/** A series of an answer. */
export interface PrometheusSeries {
  readonly labels: Readonly<Record<string, string>>;
  /** Milliseconds since 1970-01-01 UTC, and the value. */
  readonly points: readonly (readonly [ms: number, value: number])[];
}

/** A throw-away Prometheus that scrapes some addresses every second. */
export interface PrometheusServer extends SingleServer {
  readonly url: string;
  /** What a query gives for the last `seconds`, a value each second. Throws when Prometheus does not take it. */
  range(promql: string, seconds: number): Promise<readonly PrometheusSeries[]>;
}

/** Starts Debian's Prometheus on a free port of 127.0.0.1. `targets`: `host:port`. */
export async function startPrometheus(targets: readonly string[]): Promise<PrometheusServer> {
  const { server: program } = await ensurePrometheus();
  const server = await startSingle({
    prefix: 'umbus-prometheus-',
    async command({ root, dataDir, port }) {
      const settings = join(root, 'prometheus.yml');
      const listed = targets.map(target => `'${target}'`).join(', ');
      await writeFile(
        settings,
        `global: { scrape_interval: 1s }\nscrape_configs:\n  - job_name: umbus\n    static_configs: [{ targets: [${listed}] }]\n`,
      );
      return {
        program,
        args: [
          `--config.file=${settings}`,
          `--storage.tsdb.path=${dataDir}`,
          `--web.listen-address=127.0.0.1:${port}`,
        ],
        ready: () => isReady(port),
        code: 'UMBUS_METRICS_LISTEN',
      };
    },
  });
  const url = `http://${server.address}`;
  return Object.assign(server, {
    url,
    range: (promql: string, seconds: number) => ask(url, promql, seconds),
  });
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/-/ready`)).status === 200;
  } catch {
    // Not yet.
    return false;
  }
}

async function ask(url: string, promql: string, seconds: number): Promise<readonly PrometheusSeries[]> {
  const end = Date.now() / 1000;
  const search = new URLSearchParams({
    query: promql,
    start: String(end - seconds),
    end: String(end),
    step: '1',
  });
  const response = await fetch(`${url}/api/v1/query_range?${search}`);
  // The shape that Prometheus documents; what is missing fails below.
  const answer = (await response.json()) as {
    readonly error?: string;
    readonly data?: {
      readonly result: readonly {
        readonly metric: Readonly<Record<string, string>>;
        readonly values: readonly (readonly [seconds: number, value: string])[];
      }[];
    };
  };
  if (answer.data === undefined) throw new Error(`Prometheus: ${answer.error} in ${promql}`);
  return answer.data.result.map(({ metric, values }) => ({
    labels: metric,
    points: values.map(([at, value]) => [at * 1000, Number(value)] as const),
  }));
}

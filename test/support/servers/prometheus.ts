import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
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

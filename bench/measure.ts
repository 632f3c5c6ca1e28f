import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The middle of the values; of an even number, the upper one of two. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Seconds that a command takes, median of `times`. Errors: when it fails. */
export async function timeCommand(program: string, args: readonly string[], times: number): Promise<number> {
  const seconds: number[] = [];
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    await run(program, [...args], { maxBuffer: 1 << 30 });
    seconds.push((performance.now() - start) / 1000);
  }
  return median(seconds);
}

/** Runs a script of this folder in a fresh process and gives what it printed as JSON. */
export async function runWorker<T>(script: string, args: readonly string[]): Promise<T> {
  const path = new URL(script, import.meta.url).pathname;
  const { stdout } = await run(process.execPath, [path, ...args], { maxBuffer: 1 << 26 });
  // The worker prints one line of JSON of the type that its caller knows.
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as T;
}

/** Seconds of CPU that a process has taken, in all its threads. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in front may have blanks. utime and stime are fields 14 and 15, in hundredths of a second (proc_pid_stat(5)).
  const [user = '', system = ''] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11);
  return (Number(user) + Number(system)) / 100;
}

/** Anonymous memory of this process in MB: heap and buffers, without pages of mapped files. */
export function anonymousMegabytes(): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Number(/RssAnon:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1024;
}

/** Runs something in a temporary directory, which goes with it. */
export async function withDirectory<T>(run: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'umbus-bench-'));
  try {
    return await run(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** What the latency worker prints, in milliseconds. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly samples: number;
}

/** The `q` quantile by nearest rank. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

/** A line of the report: a ratio, its goal, and what it is made of. */
export function report(name: string, ratio: number, goal: string, detail: string): void {
  console.log(`${name.padEnd(44)} ${ratio.toFixed(2).padStart(7)}   goal ${goal.padEnd(7)} ${detail}`);
}

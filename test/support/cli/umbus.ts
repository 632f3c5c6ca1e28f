import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

const main = join(import.meta.dirname, '../../../src/cli/main.ts');

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A command at work. */
export interface RunningCommand extends AsyncDisposable {
  /** What it has written so far. */
  readonly out: string;
  readonly err: string;
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  kill(signal: NodeJS.Signals): void;
}

/** How to start the command line. */
export interface UmbusOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

function kept(...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap(name => (process.env[name] ? [[name, process.env[name]]] : [])));
}

/** Starts `umbus` from the sources as a process of its own, without the secrets of the environment; it is killed when disposed. */
export function startUmbus(args: readonly string[], options: UmbusOptions = {}): RunningCommand {
  const env = { ...kept('PATH', 'HOME', 'NODE_COMPILE_CACHE'), ...options.env };
  const child = spawn(process.execPath, [main, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', text => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', text => {
    err += text;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', code => resolve({ code, out, err }));
  });
  return {
    get out() {
      return out;
    },
    get err() {
      return err;
    },
    process: child,
    ended,
    kill: signal => child.kill(signal),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Runs `umbus` to its end. */
export function umbus(args: readonly string[], options: UmbusOptions = {}): Promise<Ended> {
  return startUmbus(args, options).ended;
}

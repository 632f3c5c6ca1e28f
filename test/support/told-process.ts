import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { until } from './until.ts';

/** A process that tells what it does on stdout. */
export interface ToldProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly lines: readonly string[];
  /** Waits for a line. */
  told(line: string | RegExp): Promise<string>;
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** Runs a script of this project. The process is killed at the end, at the latest. */
export function startTold(script: string, args: readonly string[]): ToldProcess {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const lines: string[] = [];
  let rest = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
  });
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await exited;
  };
  const find = (line: string | RegExp): string | undefined =>
    lines.find(each => (typeof line === 'string' ? each === line : line.test(each)));
  return {
    child,
    lines,
    end,
    async told(line) {
      await until(`the process tells ${line}`, () => find(line) !== undefined || child.exitCode !== null);
      const found = find(line);
      if (found === undefined) throw new Error(`The process has ended and told only: ${lines.join(' | ')}`);
      return found;
    },
    [Symbol.asyncDispose]: () => end('SIGKILL'),
  };
}

import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../src/core/errors.ts';
import { type RunningCommand, startUmbus } from './cli/umbus.ts';
import { until } from './until.ts';

/** `umbus run` of topologies of a line in a process of its own, which is killed, stopped and started again. */
export class LineProcess implements AsyncDisposable {
  readonly name: string;
  readonly #args: readonly string[];
  #command: RunningCommand | null = null;
  #earlier = '';

  /** Does not start it. `topologies`: names as on the command line; none: the whole line. */
  constructor(name: string, file: string, topologies: readonly string[]) {
    this.name = name;
    this.#args = ['run', '--log', 'json', '--line', file, ...topologies];
  }

  start(): void {
    this.#command = startUmbus(this.#args);
  }

  /** Process id of this life; null before and between. */
  get pid(): number | null {
    return this.#command?.process.pid ?? null;
  }

  get running(): boolean {
    return this.#command !== null && this.#command.process.exitCode === null;
  }

  /** Waits until it has ended by itself, and gives its exit code. */
  async ended(deadlineMs = 30_000): Promise<number | null> {
    await until(`${this.name} to end`, () => !this.running, deadlineMs);
    return await this.end('SIGTERM');
  }

  /** Waits until it has told what matches in this life; throws what it told last when it ends before, or does not. */
  async tells(pattern: RegExp, deadlineMs = 30_000): Promise<void> {
    try {
      await until(
        `${this.name} to tell ${pattern}`,
        () => {
          if (pattern.test(this.#command?.err ?? '')) return true;
          this.assertRunning();
          return false;
        },
        deadlineMs,
      );
    } catch (cause) {
      throw new Error(`${messageOf(cause)} It told last:\n${lastOf(this.told)}`, { cause });
    }
  }

  /** What it has told in all its lives, as JSON lines. */
  get told(): string {
    return this.#earlier + (this.#command?.err ?? '');
  }

  /** `SIGSTOP`: it hangs until `SIGCONT`, as a process on a machine that swaps, or in a debugger. */
  hang(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#command?.kill(signal);
  }

  /** Throws what it told last when it has ended by itself. */
  assertRunning(): void {
    if (!this.running)
      throw new Error(`${this.name} has ended by itself. It told last:\n${lastOf(this.told)}`);
  }

  /** `SIGKILL`: as a crash. `SIGTERM`: in order. Gives its exit code, null when a signal ended it. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const command = this.#command;
    if (command === null) return null;
    command.kill(signal);
    const { code } = await command.ended;
    this.#earlier += command.err;
    this.#command = null;
    return code;
  }

  /** Stops in order; kills and throws when that takes longer than `deadlineMs`. */
  async stop(deadlineMs = 20_000): Promise<void> {
    const command = this.#command;
    if (command === null) return;
    // Before its first words it does not listen to signals.
    await until(`${this.name} to begin`, () => command.err !== '' || !this.running);
    const stopped = this.end('SIGTERM');
    const timer = new AbortController();
    const late = delay(deadlineMs, 'late' as const, { signal: timer.signal }).catch(() => 'stopped' as const);
    const code = await Promise.race([stopped, late]);
    timer.abort();
    if (code === 'late') this.#command?.kill('SIGKILL');
    if (code !== 0)
      throw new Error(`${this.name} stopped with ${String(code)}. It told last:\n${lastOf(this.told)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGKILL');
  }
}

/** The last of what a process told. */
export function lastOf(told: string, lines = 15): string {
  return told.trimEnd().split('\n').slice(-lines).join('\n');
}

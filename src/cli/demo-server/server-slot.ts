import { readFileSync } from 'node:fs';
import { assert } from '../../core/assert.ts';
import { type ServerCommand, type ServerProcess, startProcess } from './server-process.ts';

/** A server that can be ended and started again, on the same ports and data. */
export interface RestartableServer {
  /** Process id; 0 while it is stopped. */
  readonly pid: number;
  /** Standard output and error of all starts. */
  readonly logFile: string;
  /** Resolves when the process that runs now is gone, for whatever reason, such as a full disk. */
  readonly exited: Promise<void>;
  /** Kills at once with SIGKILL, as a crash does; the data stay. */
  kill(): Promise<void>;
  /** Stops in order; the data stay. */
  stop(): Promise<void>;
  /** Freezes the process with SIGSTOP: connections stay open and nothing answers. */
  pause(): void;
  /** Lets a frozen process go on. */
  resume(): void;
}

/** Where one server runs, or does not. */
export class ServerSlot implements RestartableServer {
  readonly logFile: string;
  #running: ServerProcess | null = null;

  constructor(logFile: string) {
    this.logFile = logFile;
  }

  get pid(): number {
    return this.#running?.pid ?? 0;
  }

  get exited(): Promise<void> {
    return this.#running?.exited ?? Promise.resolve();
  }

  /** Runs the command in this slot and waits until it is ready. Errors: as `startProcess`. */
  async run(command: Omit<ServerCommand, 'logFile'>): Promise<void> {
    assert(this.#running === null, 'The server runs already.');
    this.#running = await startProcess({ ...command, logFile: this.logFile });
  }

  /** Whether the log says that a port was taken. */
  metTakenPort(): boolean {
    try {
      return /address already in use/i.test(readFileSync(this.logFile, 'utf8'));
    } catch {
      return false;
    }
  }

  async kill(): Promise<void> {
    const running = this.#take();
    await running?.kill9();
  }

  async stop(): Promise<void> {
    const running = this.#take();
    if (running === null) return;
    // A frozen process does not see the signal to stop.
    signal(running, 'SIGCONT');
    await running.stop();
  }

  pause(): void {
    assert(this.#running !== null, 'The server is stopped.');
    signal(this.#running, 'SIGSTOP');
  }

  resume(): void {
    assert(this.#running !== null, 'The server is stopped.');
    signal(this.#running, 'SIGCONT');
  }

  #take(): ServerProcess | null {
    const running = this.#running;
    this.#running = null;
    return running;
  }
}

function signal({ pid }: ServerProcess, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // It may have ended by itself.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

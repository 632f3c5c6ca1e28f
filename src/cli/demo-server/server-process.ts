import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type ErrorCode, UmbusError } from '../../core/errors.ts';

/**
 * Runs the server in the background. When standard input closes, which the kernel does when the process that holds the other end
 * dies in whatever way, it kills the server and removes its directory. First line of output: the server's process id.
 */
const WATCHDOG = `
directory=$1; shift
exec 3<&0
"$@" </dev/null >&2 3<&- & server=$!
( cat <&3 >/dev/null; trap '' TERM; kill -9 $server
  while kill -0 $server; do sleep 0.05; done; rm -rf "$directory" ) >/dev/null 2>&1 & watcher=$!
exec 3<&-
echo $server
wait $server; status=$?
kill $watcher 2>/dev/null
exit $status`;

const READY_DEADLINE_MS = 90_000;
const STOP_DEADLINE_MS = 30_000;
const POLL_MS = 20;

/** A server process that dies with this process. */
export interface ServerProcess {
  /** Process id of the server itself. */
  readonly pid: number;
  /** Resolves when the server is gone, for whatever reason. */
  readonly exited: Promise<void>;
  /** Kills at once, as a crash does. Resolves when it is gone. */
  kill9(): Promise<void>;
  /** Asks to stop and waits; kills after 30 seconds. */
  stop(): Promise<void>;
}

/** How to run a server. */
export interface ServerCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** All that the server owns; removed when this process dies while the server runs. */
  readonly directory: string;
  /** Whether the server now does its work; asked again and again until it says so. */
  readonly ready: () => Promise<boolean>;
  /** File for standard output and error. */
  readonly logFile: string;
  /** Code of the error when it does not start. */
  readonly code: ErrorCode;
  /** More variables of its environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A free TCP port of 127.0.0.1 as the operating system gives it. Another process may take it before it is used. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') {
    throw new UmbusError('UMBUS_INTERNAL', 'A listening TCP socket has no port.');
  }
  return address.port;
}

/** Whether a server greets who connects to this Unix socket, as database servers do. */
export function greets(socketPath: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = createConnection(socketPath);
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', () => end(true));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
  });
}

/** The last lines of a log file; '' when it cannot be read. */
export function lastLines(file: string, count = 12): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
  } catch {
    return '';
  }
}

async function readPid(child: ChildProcess): Promise<number> {
  const output = child.stdout;
  if (output === null) throw new UmbusError('UMBUS_INTERNAL', 'The watchdog has no output.');
  const ended = once(child, 'exit').then(() => null);
  const line = await Promise.race([once(output, 'data').then(([data]) => String(data)), ended]);
  const pid = Number.parseInt(line ?? '', 10);
  if (!(pid > 0)) throw new UmbusError('UMBUS_INTERNAL', 'The watchdog of the server did not start.');
  output.destroy();
  return pid;
}

/**
 * Starts a server in a session of its own, so that Ctrl-C reaches this process alone, and waits until it is ready.
 * Errors: the command's code when it ends or is not ready within 90 seconds; the message holds its last log lines.
 */
export async function startProcess(command: ServerCommand): Promise<ServerProcess> {
  const log = openSync(command.logFile, 'a');
  const child = spawn(
    '/bin/sh',
    ['-c', WATCHDOG, 'sh', command.directory, command.program, ...command.args],
    {
      detached: true,
      stdio: ['pipe', 'pipe', log],
      env: { ...process.env, ...command.env },
    },
  );
  closeSync(log);
  child.stdin?.on('error', () => {});
  let running = true;
  const exited = once(child, 'exit').then(() => {
    running = false;
  });
  const pid = await readPid(child);
  const end = async (signal: NodeJS.Signals) => {
    child.ref();
    if (running) process.kill(pid, signal);
    const timer = setTimeout(() => running && process.kill(pid, 'SIGKILL'), STOP_DEADLINE_MS);
    await exited;
    clearTimeout(timer);
    child.stdin?.destroy();
  };
  const server = { pid, exited, kill9: () => end('SIGKILL'), stop: () => end('SIGTERM') };
  const deadline = Date.now() + READY_DEADLINE_MS;
  while (!(await command.ready())) {
    if (running && Date.now() < deadline) {
      await delay(POLL_MS);
      continue;
    }
    await server.kill9();
    throw new UmbusError(
      command.code,
      `${command.program} did not start. Its log ends:\n${lastLines(command.logFile)}`,
    );
  }
  // A test or tool that forgets to stop its server may still end; the watchdog then kills the server.
  child.unref();
  return server;
}

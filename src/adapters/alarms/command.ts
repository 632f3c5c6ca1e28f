import { spawn } from 'node:child_process';
import { UmbusError } from '../../core/errors.ts';
import type { AlarmSink } from '../../ports/alarm.ts';
import { alarmDocument } from './alarm-document.ts';

/** A program that is run for each alarm. */
export interface CommandOptions {
  /** Names the sink. */
  readonly name: string;
  /** Path or name of the program, and its arguments: no shell reads them. */
  readonly run: readonly string[];
  /** A program that takes longer is killed, and has not taken the alarm. */
  readonly timeoutMs: number;
}

/**
 * Runs a program for each alarm, with the document of ums-schema/alarm.schema.json on its standard input and nothing of the alarm among its arguments. Exit code 0 takes the alarm,
 * 75 (`EX_TEMPFAIL`) and a time-out ask to come again, any other refuses. What it prints goes nowhere. It gets the environment of umbus without its secrets: `PATH`, `HOME` and `LANG`.
 */
export function createCommand({ name, run, timeoutMs }: CommandOptions): AlarmSink {
  const [program = '', ...args] = run;
  return {
    name,
    async send(alarm, signal) {
      const ended = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      const code = await exitOf(program, args, JSON.stringify(alarmDocument(alarm)), ended);
      if (code === 0) return;
      const passes = code === null || code === TEMPFAIL;
      const reason = code === null ? 'it took too long' : `it ended with ${code}`;
      throw new UmbusError(
        passes ? 'UMBUS_ALARM_UNREACHABLE' : 'UMBUS_ALARM_REFUSED',
        `The program ${program} does not take the alarm: ${reason}.`,
        { details: { program, code } },
      );
    },
  };
}

/** `EX_TEMPFAIL` of sysexits.h. */
const TEMPFAIL = 75;
const PASSED_ON = ['PATH', 'HOME', 'LANG'] as const;

/** Exit code of a program; null when a signal ended it. Errors: UMBUS_ALARM_REFUSED when it cannot be run. */
function exitOf(
  program: string,
  args: readonly string[],
  input: string,
  signal: AbortSignal,
): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const env = Object.fromEntries(PASSED_ON.map(name => [name, process.env[name] ?? '']));
    const child = spawn(program, [...args], { stdio: ['pipe', 'ignore', 'ignore'], env });
    const kill = (): void => {
      child.kill('SIGKILL');
    };
    signal.addEventListener('abort', kill, { once: true });
    child.once('error', cause => {
      signal.removeEventListener('abort', kill);
      const reason = 'code' in cause ? String(cause.code) : 'it cannot be run';
      reject(
        new UmbusError('UMBUS_ALARM_REFUSED', `The program ${program} cannot be run: ${reason}.`, {
          cause,
          details: { program },
        }),
      );
    });
    child.once('close', code => {
      signal.removeEventListener('abort', kill);
      resolve(code);
    });
    // A program that does not read its input closes the pipe: its exit code says what came of it.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    if (signal.aborted) kill();
  });
}

import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** What tells a process from every other. Null where the platform cannot tell. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** Start time of the process since boot, in clock ticks: field 22 of /proc/PID/stat (proc(5)). Tells a process from a later one of the same number. */
  readonly started: string | null;
  readonly boot: string | null;
  /** Process numbers mean something only within one namespace: containers have their own. */
  readonly pidNamespace: string | null;
}

/** This process. */
export function describeProcess(): ProcessIdentity {
  return {
    pid: process.pid,
    host: hostname(),
    started: startOf(process.pid),
    boot: attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    pidNamespace: attempt(() => readlinkSync('/proc/self/ns/pid')),
  };
}

/** Whether `other` lives, as far as `self`, this process, can tell. */
export function lifeOf(other: ProcessIdentity, self: ProcessIdentity): 'alive' | 'dead' | 'unknown' {
  const sameBoot = other.boot !== null && other.boot === self.boot;
  if (sameBoot && other.pidNamespace !== null && other.pidNamespace === self.pidNamespace) {
    return other.started !== null && startOf(other.pid) === other.started ? 'alive' : 'dead';
  }
  if (other.host !== self.host) return 'unknown';
  const rebooted = other.boot !== null && self.boot !== null && !sameBoot;
  const samePlace = other.pidNamespace === self.pidNamespace;
  return rebooted || (samePlace && !existsProcess(other.pid)) ? 'dead' : 'unknown';
}

function existsProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Null when there is no such process, or no /proc. A dead process whose parent has not collected it is not there any more. */
function startOf(pid: number): string | null {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  // The second field is the name in parentheses and may hold anything: fields are counted after the last one.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields?.[0];
  return state === 'Z' || state === 'X' ? null : (fields?.[19] ?? null);
}

function attempt<T>(action: () => T): T | null {
  try {
    return action();
  } catch {
    return null;
  }
}

import { existsSync } from 'node:fs';
import type { KafkaLogSettings, Line } from '../../config/line.ts';
import { isUmbusError, UmbusError } from '../../core/errors.ts';
import type { Log } from '../../ports/log.ts';
import { groupNameOf } from '../../runtime/start.ts';
import { type MasksInForce, openMasksInForce } from '../masks/masks-in-force.ts';
import { openLineLog } from '../open-line.ts';
import { openLineCoordination, openLineRegistry } from '../open-services.ts';
import type { ReplayAround } from './replay.ts';
import { becomeSoleMember } from './sole-member.ts';

/** What a member that leaves in order needs, beside the session of one that is dead. */
const HAND_OVER_MS = 3_000;

/** What work on parked tables gets: the log, where no appender of the line runs meanwhile, and what a replay needs beside it. */
export interface OwnedLog {
  readonly log: Log;
  readonly around: ReplayAround;
  /** Aborted with `signal`, and when an appender begins after all. */
  readonly signal: AbortSignal;
}

/** Works on a log that is this process's alone. Errors: UMBUS_LOG_LOCKED when the line runs; those of opening the log, the registry and coordination. */
export async function withOwnedLog<T>(
  line: Line,
  signal: AbortSignal,
  work: (owned: OwnedLog) => Promise<T>,
): Promise<T> {
  if (line.log.kind === 'kafka') return await asSoleMember(line, line.log, signal, work);
  if (!existsSync(line.log.dir)) await openLineLog(line, 'reader');
  await using log = await ownedLog(line);
  return await withServices(log, line, signal, work);
}

/** On Kafka nobody owns the log: while we are the only member of the appender's group, no appender works. */
async function asSoleMember<T>(
  line: Line,
  { sessionTimeoutMs }: KafkaLogSettings,
  signal: AbortSignal,
  work: (owned: OwnedLog) => Promise<T>,
): Promise<T> {
  const { systemClock } = await import('../../adapters/system-clock.ts');
  await using log = await openLineLog(line, 'owner');
  const topics = Object.keys(line.schemas).map(schema => `${line.ds}.${schema}`);
  const group = groupNameOf(line.ds, 'appender');
  await using sole = await becomeSoleMember(log, group, topics, {
    clock: systemClock,
    patienceMs: sessionTimeoutMs + HAND_OVER_MS,
    signal,
  });
  return await withServices(log, line, AbortSignal.any([signal, sole.lost]), work);
}

/** With the masks in force, so that what comes late is masked as all the rest. */
async function withServices<T>(
  log: Log,
  line: Line,
  signal: AbortSignal,
  work: (owned: OwnedLog) => Promise<T>,
): Promise<T> {
  const { systemClock } = await import('../../adapters/system-clock.ts');
  await using registry = await openLineRegistry(line);
  await using coordination = await openLineCoordination(line, log, systemClock);
  await using masks: MasksInForce = await openMasksInForce(line, coordination);
  return await work({ log, around: { registered: registry?.registered ?? null, masks }, signal });
}

async function ownedLog(line: Line): Promise<Log> {
  try {
    return await openLineLog(line, 'owner');
  } catch (error) {
    if (!isUmbusError(error, 'UMBUS_LOG_LOCKED')) throw error;
    throw new UmbusError(
      'UMBUS_LOG_LOCKED',
      `A replay writes to the log, and the line ${line.ds} is running: stop it first. ${error.message}`,
      {
        cause: error,
        details: error.details,
      },
    );
  }
}

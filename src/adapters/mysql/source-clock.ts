import { type ClockSample, type ClockSkew, SkewFilter } from '../../change/clock-skew.ts';
import { type SqlRow, withSession } from './connect.ts';
import type { MysqlLogin } from './options.ts';
import { textOf } from './server-facts.ts';

/** SQL for the statement's time in microseconds since 1970-01-01 UTC, in any session's zone. */
export const SERVER_MICROS = 'CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS UNSIGNED)';

const TO_MICROS = 1000;
const SAMPLES = 5;
const CONNECT_MS = 3_000;

/** Asks a server for its time, between two looks at our clock: milliseconds since 1970-01-01 UTC, with a fraction. */
export async function sampleClock(
  ask: (sql: string) => Promise<readonly SqlRow[]>,
  now: () => number,
): Promise<ClockSample> {
  const sentMicros = Math.round(now() * TO_MICROS);
  const [row] = await ask(`SELECT ${SERVER_MICROS} AS us`);
  return {
    sentMicros,
    serverMicros: Number(textOf(row, 'us')),
    receivedMicros: Math.round(now() * TO_MICROS),
  };
}

/** By how much the clock of a server is ahead of ours; null where our clock was set meanwhile. Errors: UMBUS_SOURCE_*; the signal's reason. */
export function sourceClock(
  source: MysqlLogin,
  now: () => number,
  signal: AbortSignal,
): Promise<ClockSkew | null> {
  return withSession({ ...source, connectTimeoutMs: CONNECT_MS }, signal, async session => {
    const filter = new SkewFilter();
    for (let i = 0; i < SAMPLES; i++) filter.add(await sampleClock(sql => session.query(sql), now));
    return filter.best;
  });
}

import { type MariadbGtidPosition, parseGtidSet } from '../../binlog/gtid-set.ts';
import { isUmbusError, UmbusError } from '../../core/errors.ts';
import type { ResumePoint } from '../../ports/change-source.ts';
import type { SqlRow, SqlSession } from './connect.ts';
import { gtidAt, listBinlogs, type ServerFacts, textOf } from './server-facts.ts';

/** A place in the binlog files. */
interface Place {
  readonly file: string;
  readonly position: number;
}

/** A binlog place that the server cannot give because the file was purged. */
export function filePurged(at: Place, oldest: string): UmbusError {
  return new UmbusError(
    'UMBUS_SOURCE_POSITION_GONE',
    `${at.file}:${at.position} is needed, but the server has no ${at.file} any more; its oldest binlog is ${oldest}. Every change from ${at.file}:${at.position} up to the start of ${oldest} is lost to this line.`,
    { details: { file: at.file, position: at.position, oldest } },
  );
}

/** A binlog place that the server cannot give although it has a file of that name: the file is another one. */
export function fileRewritten(at: Place, reason: string): UmbusError {
  return new UmbusError(
    'UMBUS_SOURCE_POSITION_GONE',
    `${at.file}:${at.position} is needed, but ${reason}. Every change after ${at.file}:${at.position} of the old binlogs is lost to this line.`,
    { details: { file: at.file, position: at.position } },
  );
}

function gtidsGone(needed: string, lost: string): UmbusError {
  return new UmbusError(
    'UMBUS_SOURCE_POSITION_GONE',
    `The line has read up to GTID ${needed}, but the server has purged transactions after it. Lost to this line: ${lost}.`,
    { details: { gtid: needed, lost } },
  );
}

function otherHistory(facts: ServerFacts, ours: string, missing: string): UmbusError {
  return new UmbusError(
    'UMBUS_SOURCE_IDENTITY',
    `The line has read transactions that ${facts.identity.id} does not have (${missing}): its binlogs were reset, or it is not a server of the same history.`,
    { details: { server: facts.identity.id, ours, missing, executed: facts.gtidExecuted } },
  );
}

/** Whether a text from the line or its log is a set of this flavor: another server's may have the other form. */
function isGtidSet(flavor: 'mysql' | 'mariadb', text: string): boolean {
  try {
    parseGtidSet(flavor, text);
    return true;
  } catch (error) {
    if (isUmbusError(error, 'UMBUS_SOURCE_PROTOCOL')) return false;
    throw error;
  }
}

async function subtract(session: SqlSession, set: string, from: string): Promise<string> {
  const [row] = await session.query('SELECT GTID_SUBTRACT(?, ?) AS rest', [from, set]);
  return textOf(row, 'rest').replaceAll(/\s/g, '');
}

async function continueMysql(session: SqlSession, facts: ServerFacts, ours: string): Promise<void> {
  if (!facts.gtidOn) {
    throw new UmbusError(
      'UMBUS_SOURCE_SETTING',
      'A start by GTID needs gtid_mode = ON. Set gtid_mode and enforce_gtid_consistency to ON, or start from a file and position.',
    );
  }
  if (!isGtidSet('mysql', ours)) throw otherHistory(facts, ours, ours);
  const missing = await subtract(session, facts.gtidExecuted, ours);
  if (missing !== '') throw otherHistory(facts, ours, missing);
  const lost = await subtract(session, ours, facts.gtidPurged);
  if (lost !== '') throw gtidsGone(ours, lost);
}

/** MariaDB keeps no set of purged GTIDs: what is before the oldest file is purged. */
async function mariadbFloor(session: SqlSession): Promise<MariadbGtidPosition> {
  const [oldest] = await listBinlogs(session);
  return parseGtidSet('mariadb', (await gtidAt(session, oldest?.name ?? '', 4)) ?? '');
}

async function continueMariadb(session: SqlSession, facts: ServerFacts, ours: string): Promise<void> {
  if (!isGtidSet('mariadb', ours)) throw otherHistory(facts, ours, ours);
  const position = parseGtidSet('mariadb', ours);
  const missing = position.beyond(parseGtidSet('mariadb', facts.gtidExecuted)).toString();
  if (missing !== '') throw otherHistory(facts, ours, missing);
  const lost = (await mariadbFloor(session)).beyond(position).toString();
  if (lost !== '') throw gtidsGone(ours === '' ? '(none)' : ours, `all up to ${lost}`);
}

/**
 * Makes sure that the server's history contains `ours` and that everything after it is still in its binlogs.
 * Errors: UMBUS_SOURCE_IDENTITY, UMBUS_SOURCE_POSITION_GONE, UMBUS_SOURCE_SETTING (MySQL without GTIDs).
 */
export async function continueByGtid(session: SqlSession, facts: ServerFacts, ours: string): Promise<void> {
  if (facts.identity.flavor === 'mysql') await continueMysql(session, facts, ours);
  else await continueMariadb(session, facts, ours);
}

/** Whether the transaction that starts at our place is one that we have: then the file was written anew since. */
async function alreadyOurs(
  session: SqlSession,
  facts: ServerFacts,
  info: string,
  ours: string,
): Promise<boolean> {
  if (facts.identity.flavor === 'mysql') {
    const next = /GTID_NEXT= '([^']+)'/.exec(info)?.[1];
    if (next === undefined || !next.includes(':')) return false;
    const [row] = await session.query('SELECT GTID_SUBSET(?, ?) AS known', [next, ours]);
    return Number(row?.['known']) === 1;
  }
  const next = /GTID (\d+)-(\d+)-(\d+)/.exec(info);
  if (next === null) return false;
  const last = parseGtidSet('mariadb', ours).last(Number(next[1]));
  return last !== null && last.serverId === Number(next[2]) && last.sequence >= Number(next[3]);
}

/**
 * The event that starts at a place of a listed file, as SHOW BINLOG EVENTS tells it; null at the end of the file. `otherwise` says what
 * it means when none starts there. Errors: UMBUS_SOURCE_POSITION_GONE.
 */
export async function eventAt(session: SqlSession, at: Place, otherwise: string): Promise<SqlRow | null> {
  const events = await session
    .query(`SHOW BINLOG EVENTS IN ? FROM ${at.position} LIMIT 1`, [at.file])
    .catch(error => {
      throw isUmbusError(error, 'UMBUS_SOURCE_PROTOCOL') ? fileRewritten(at, otherwise) : error;
    });
  const [event] = events;
  if (event === undefined) return null;
  if (Number(event['Pos']) !== at.position) throw fileRewritten(at, otherwise);
  return event;
}

/**
 * For a server with the identity we know, whose file is long enough: finds out whether its binlogs were reset and written anew. Its
 * GTIDs must contain ours, an event must start at our place, and its transaction must not be one that we have.
 * Errors: UMBUS_SOURCE_IDENTITY, UMBUS_SOURCE_POSITION_GONE.
 */
export async function checkSameHistory(
  session: SqlSession,
  facts: ServerFacts,
  at: ResumePoint,
): Promise<void> {
  const useGtid = facts.gtidOn && at.gtid !== '';
  if (useGtid && facts.identity.flavor === 'mysql') {
    const missing = await subtract(session, facts.gtidExecuted, at.gtid);
    if (missing !== '') throw otherHistory(facts, at.gtid, missing);
  }
  if (useGtid && facts.identity.flavor === 'mariadb') {
    const executed = parseGtidSet('mariadb', facts.gtidExecuted);
    const missing = parseGtidSet('mariadb', at.gtid).beyond(executed).toString();
    if (missing !== '') throw otherHistory(facts, at.gtid, missing);
  }
  const event = await eventAt(session, at, 'no event starts there: the binlogs were reset and written anew');
  if (event === null) return;
  if (useGtid && (await alreadyOurs(session, facts, textOf(event, 'Info'), at.gtid))) {
    throw otherHistory(facts, at.gtid, 'the transaction at our place is one that the line has read');
  }
}

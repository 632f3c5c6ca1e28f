import { isUmbusError, UmbusError } from '../../core/errors.ts';
import type { OpenFrom, ResumePoint, StartPoint } from '../../ports/change-source.ts';
import type { SqlSession } from './connect.ts';
import { checkSameHistory, continueByGtid, eventAt, filePurged, fileRewritten } from './history.ts';
import {
  type BinlogFile,
  binlogNumber,
  gtidAt,
  listBinlogs,
  readBinlogEnd,
  type ServerFacts,
  textOf,
} from './server-facts.ts';

/**
 * How the server is asked for the dump. By file and position while the server and its files are the ones we know: exact to the byte,
 * and independent of how complete a GTID set is. By GTID where a file name means nothing: a given GTID, or another server.
 */
export type DumpPlan =
  | { readonly kind: 'file'; readonly from: ResumePoint; readonly switched: false }
  | { readonly kind: 'gtid'; readonly from: ResumePoint; readonly switched: boolean };

/** First byte of the first event of a binlog file. */
export const FIRST_POSITION = 4;
const FOUR_GB = 0x1_0000_0000;

function byFile(file: string, position: number, gtid: string): DumpPlan {
  return { kind: 'file', from: { file, position, gtid }, switched: false };
}

function byGtid(gtid: string, switched: boolean): DumpPlan {
  return { kind: 'gtid', from: { file: '', position: FIRST_POSITION, gtid }, switched };
}

/** MySQL names the set before a file in its second event. Within a file there is no cheap way to know: ''. */
async function mysqlGtidBefore(session: SqlSession, file: string, position: number): Promise<string> {
  const events = await session.query(`SHOW BINLOG EVENTS IN ? LIMIT 2`, [file]);
  const previous = events.find(event => event['Event_type'] === 'Previous_gtids');
  if (previous === undefined || position > Number(previous['End_log_pos'])) return '';
  return textOf(previous, 'Info').replaceAll(/\s/g, '');
}

async function gtidBefore(
  session: SqlSession,
  facts: ServerFacts,
  file: string,
  position: number,
): Promise<string> {
  if (facts.identity.flavor === 'mariadb') return (await gtidAt(session, file, position)) ?? '';
  return facts.gtidOn ? mysqlGtidBefore(session, file, position) : '';
}

/** Makes sure that a listed file holds the place. Errors: UMBUS_SOURCE_POSITION_GONE. */
function checkFileHolds(files: readonly BinlogFile[], at: { file: string; position: number }): void {
  const file = files.find(candidate => candidate.name === at.file);
  if (file === undefined) throw filePurged(at, files[0]?.name ?? '');
  if (at.position > file.sizeBytes) {
    throw fileRewritten(
      at,
      `the file ends at ${file.sizeBytes}: the binlogs were reset, or the server lost its end in a crash`,
    );
  }
}

async function planStart(session: SqlSession, facts: ServerFacts, at: StartPoint): Promise<DumpPlan> {
  if (at === 'now') {
    const end = await readBinlogEnd(session, facts);
    return byFile(end.file, end.position, end.gtid);
  }
  if (at === 'earliest') {
    const [oldest] = await listBinlogs(session);
    const file = oldest?.name ?? '';
    return byFile(file, FIRST_POSITION, await gtidBefore(session, facts, file, FIRST_POSITION));
  }
  if ('gtid' in at) {
    await continueByGtid(session, facts, at.gtid);
    return byGtid(at.gtid, false);
  }
  const position = Math.max(at.position, FIRST_POSITION);
  checkFileHolds(await listBinlogs(session), { file: at.file, position });
  await eventAt(session, { file: at.file, position }, 'no event starts there');
  return byFile(at.file, position, await gtidBefore(session, facts, at.file, position));
}

/**
 * Our file is gone, yet nothing after `at` may be lost: a quiet line whose last event was in it, or binlogs under a new name. GTIDs
 * prove it. The epoch grows unless file numbers go on growing. Null when something is lost or nothing can be proven.
 */
async function planWithoutFile(
  session: SqlSession,
  facts: ServerFacts,
  oldest: string,
  at: ResumePoint,
): Promise<DumpPlan | null> {
  if (at.gtid === '' || !facts.gtidOn) return null;
  try {
    await continueByGtid(session, facts, at.gtid);
  } catch (error) {
    if (isUmbusError(error, 'UMBUS_SOURCE_POSITION_GONE')) return null;
    throw error;
  }
  return byGtid(at.gtid, !(binlogNumber(oldest) > binlogNumber(at.file)));
}

async function planSameServer(session: SqlSession, facts: ServerFacts, at: ResumePoint): Promise<DumpPlan> {
  const files = await listBinlogs(session);
  if (!files.some(file => file.name === at.file)) {
    const plan = await planWithoutFile(session, facts, files[0]?.name ?? '', at);
    if (plan !== null) return plan;
  }
  checkFileHolds(files, at);
  await checkSameHistory(session, facts, at);
  const addressable = at.position < FOUR_GB || (facts.identity.flavor === 'mysql' && facts.gtidOn);
  if (addressable) return byFile(at.file, at.position, at.gtid);
  if (facts.identity.flavor === 'mysql' || at.gtid === '') {
    throw new UmbusError(
      'UMBUS_SOURCE_POSITION_GONE',
      `The server cannot be asked for ${at.file}:${at.position}: without GTIDs a dump cannot start beyond 4 GB of a file. Load the tables again from a newer position.`,
      { details: { file: at.file, position: at.position } },
    );
  }
  // The transaction after this GTID starts at exactly this place, so the place stays true.
  return { kind: 'gtid', from: at, switched: false };
}

/**
 * Decides where the dump begins, after making sure that the server still has everything from there on and that its history is ours.
 * Errors: UMBUS_SOURCE_POSITION_GONE, UMBUS_SOURCE_IDENTITY, UMBUS_SOURCE_GRANT, UMBUS_SOURCE_SETTING, UMBUS_SOURCE_UNREACHABLE.
 */
export async function planDump(session: SqlSession, facts: ServerFacts, from: OpenFrom): Promise<DumpPlan> {
  if (from.kind === 'start') return planStart(session, facts, from.at);
  if (from.server === facts.identity.id && from.at.file !== '') {
    return planSameServer(session, facts, from.at);
  }
  const switched = from.server !== facts.identity.id;
  if (switched && from.at.gtid === '') {
    throw new UmbusError(
      'UMBUS_SOURCE_IDENTITY',
      `The server is ${facts.identity.id}, the line was reading ${from.server}, and no GTID is known that would show where its history goes on.`,
      { details: { expected: from.server, found: facts.identity.id } },
    );
  }
  await continueByGtid(session, facts, from.at.gtid);
  return byGtid(from.at.gtid, switched);
}

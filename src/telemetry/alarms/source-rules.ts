import type { Fault } from './fault.ts';
import { behindMs, type Frontier } from './frontier.ts';
import type { Observation } from './observation.ts';
import type { RuleSettings } from './rule-settings.ts';
import { spanText } from './texts.ts';

/** What is wrong with the source itself, or with the way to it. */
export function sourceFaults(seen: Observation, settings: RuleSettings): readonly Fault[] {
  const { source, nowMs } = seen;
  const lateMs = settings.lateMs('', nowMs);
  if (!source.reachable) return lateMs === null ? [] : unreachableFaults(seen, source, lateMs);
  const faults: Fault[] = [];
  if (source.positionGone) {
    faults.push({
      id: 'source:gone',
      where: 'source',
      severity: 'critical',
      title: 'The source has purged binlog that was not read',
      text: 'The file that comes next is not on the server any more, as the server says when it is asked directly. Changes are lost for the line: start it anew, and load the tables again.',
      details: { file: source.file },
      holdMs: 0,
      subject: '',
    });
  }
  const replica = source.replica;
  if (replica === null || lateMs === null) return faults;
  const { secondsBehind } = replica;
  if (secondsBehind === null || secondsBehind * 1000 >= lateMs) {
    const how = secondsBehind === null ? 'does not replicate' : `is ${spanText(secondsBehind * 1000)} behind`;
    faults.push({
      id: 'replica',
      where: 'replica',
      severity: 'warning',
      title: `The replica that is read ${how}`,
      text: `The source is a replica itself and ${how}, as it says when it is asked. Changes reach the line only after it. Nothing is wrong with the line; look at the replication of that server.`,
      details: { secondsBehind },
      holdMs: settings.everyMs,
      subject: '',
    });
  }
  return faults;
}

function unreachableFaults(
  { log, nowMs }: Observation,
  { code, message }: { readonly code: string; readonly message: string },
  lateMs: number,
): readonly Fault[] {
  const capturedMs = log?.landed?.capturedMs ?? null;
  // The extractor still gets changes: the server is there, and only questions are refused.
  const landsYet = capturedMs !== null && nowMs - capturedMs < lateMs / 2;
  if (landsYet) return [];
  return [
    {
      id: 'source',
      where: 'source',
      severity: 'critical',
      title: 'The source cannot be reached',
      text: `The server does not answer a direct question, and the extractor has landed nothing either. ${message} The line waits, tries again, and goes on where it stopped. Look at the server and the network.`,
      details: { code },
      holdMs: lateMs,
      subject: '',
    },
  ];
}

/** The extractor is late when the source, asked directly, has been further for some time than what is landed. */
export function extractorFaults(
  seen: Observation,
  frontier: Frontier,
  settings: RuleSettings,
): readonly Fault[] {
  const { source, log, nowMs } = seen;
  const lateMs = settings.lateMs('', nowMs);
  if (lateMs === null || !source.reachable || log === null) return [];
  const lateBy = behindMs(frontier, nowMs);
  if (lateBy < lateMs) return [];
  const { landed } = log;
  const place = landed === null ? 'nothing' : `up to ${landed.file}:${landed.position}`;
  return [
    {
      id: 'extractor',
      where: 'extractor',
      severity: 'critical',
      title: `The extractor is ${spanText(lateBy)} behind the source`,
      text: `The source answers and stands at ${source.file}:${source.position}; the extractor has landed ${place}. Look at the process that runs mysql-extractor, at its network to the source, and at the log that it writes to.`,
      details: {
        file: source.file,
        position: source.position,
        landedFile: landed?.file ?? null,
        landedPosition: landed?.position ?? null,
        lagBytes: source.lagBytes,
        seconds: Math.round(lateBy / 1000),
      },
      holdMs: settings.everyMs,
      subject: '',
    },
  ];
}

import type { Check } from '../../adapters/mysql/index.ts';
import type { Line } from '../../config/line.ts';
import { isUmbusError, messageOf } from '../../core/errors.ts';
import { openLineLog } from '../open-line.ts';
import { spaceCheck } from './line-checks.ts';

/** What can be said of the log of a line before it runs. */
export async function logChecks(line: Line): Promise<readonly Check[]> {
  return line.log.kind === 'embedded' ? [spaceCheck(line.log)] : [await kafkaCheck(line)];
}

/** Whether the brokers let us in, and which topics of the line are there. */
async function kafkaCheck(line: Line): Promise<Check> {
  const { ds, topics } = line;
  const item = 'kafka';
  const wanted = `a login, and topics of ${topics.partitions} partitions`;
  try {
    await using log = await openLineLog(line, 'reader');
    const names = new Set(Object.keys(line.schemas).map(schema => `${ds}.${schema}`));
    const there = (await log.topics()).filter(topic => names.has(topic.name));
    const other = there.find(topic => topic.partitions !== topics.partitions);
    if (other !== undefined) {
      return {
        item,
        ok: false,
        found: `${other.name} has ${other.partitions} partitions`,
        wanted,
        why: 'The partitions of a topic cannot change while its line lives: set topics.partitions to what is there, or give the line another name.',
        statement: null,
      };
    }
    const found = there.length === 0 ? 'no topic of the line yet' : `${there.length} topics of the line`;
    const why = 'The brokers can be reached and let us read.';
    return { item, ok: true, found, wanted, why, statement: null };
  } catch (error) {
    return {
      item,
      ok: false,
      found: isUmbusError(error) ? `${error.code}: ${error.message}` : messageOf(error),
      wanted,
      why: isUmbusError(error) ? error.remedy : 'Without the log nothing can run.',
      statement: null,
    };
  }
}

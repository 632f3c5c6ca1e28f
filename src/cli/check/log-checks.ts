import type { Check } from '../../adapters/mysql/index.ts';
import type { Line } from '../../config/line.ts';
import { isUmbusError, messageOf } from '../../core/errors.ts';
import { resultTopicOf } from '../../ums/namespace.ts';
import { openLineLog } from '../open-line.ts';
import { spaceCheck } from './line-checks.ts';

/** What can be said of the log of a line before it runs. */
export async function logChecks(line: Line): Promise<readonly Check[]> {
  return line.log.kind === 'embedded' ? [spaceCheck(line.log)] : [await kafkaCheck(line)];
}

/** Whether the brokers let us in, and which topics of the line are there. */
async function kafkaCheck(line: Line): Promise<Check> {
  const item = 'kafka';
  const wanted = 'a login, and topics of as many partitions as the line file says';
  try {
    await using log = await openLineLog(line, 'reader');
    const partitions = partitionsOf(line);
    const there = (await log.topics()).filter(({ name }) => partitions.has(name));
    const other = there.find(topic => topic.partitions !== partitions.get(topic.name));
    if (other !== undefined) {
      return {
        item,
        ok: false,
        found: `${other.name} has ${other.partitions} partitions`,
        wanted: `${partitions.get(other.name)} partitions`,
        why: 'The partitions of a topic cannot change while its line lives: set topics.partitions, or result.partitions of the schema, to what is there, or give the line another name.',
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

/** By topic, how many partitions the line wants. */
function partitionsOf({ ds, schemas, topics }: Line): ReadonlyMap<string, number> {
  return new Map(
    Object.entries(schemas).flatMap(([schema, { result }]) => [
      [`${ds}.${schema}`, topics.partitions] as const,
      [resultTopicOf(ds, schema), result.partitions ?? topics.partitions] as const,
    ]),
  );
}

import { Buffer } from 'node:buffer';
import { readSchemaNotice, type SchemaNotice } from '../../consumer/index.ts';
import type { Log } from '../../ports/log.ts';
import { noticeTopicOf } from '../../ums/schema-notice.ts';

const READ_BYTES = 4 * 1024 * 1024;

/** The notices of a line by `schema.table`, those of a table in order and each once. Errors: UMBUS_LOG_*, UMBUS_UMS_INVALID. */
export async function schemaHistory(
  log: Log,
  ds: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly SchemaNotice[]>> {
  const tables = new Map<string, SchemaNotice[]>();
  const name = noticeTopicOf(ds);
  const topic = (await log.topics()).find(each => each.name === name);
  const { earliest = 0n, latest = 0n } = topic?.extents[0] ?? {};
  for (let offset = earliest; offset < latest && !signal.aborted; ) {
    const place = { topic: name, partition: 0 };
    const batch = await log.read({ ...place, offset }, { maxBytes: READ_BYTES, maxWaitMs: 0 }, signal);
    for (const record of batch.records) {
      const notice = readSchemaNotice(record.value ?? Buffer.alloc(0), { ...place, offset: record.offset });
      const table = `${notice.schema}.${notice.table}`;
      const known = tables.get(table) ?? [];
      tables.set(table, known);
      if (isNews(known.at(-1), notice)) known.push(notice);
    }
    if (batch.nextOffset === offset) break;
    offset = batch.nextOffset;
  }
  return tables;
}

/** Whether a notice is none that came before, on a log that may have a stretch of records again. */
function isNews(last: SchemaNotice | undefined, notice: SchemaNotice): boolean {
  if (last === undefined || BigInt(notice.uid) > BigInt(last.uid)) return true;
  return (
    notice.uid === last.uid && (notice.version > last.version || notice.innerVersion > last.innerVersion)
  );
}

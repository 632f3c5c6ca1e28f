import type { Line } from '../../config/line.ts';
import { readSchemaNotice } from '../../consumer/index.ts';
import type { Alarm } from '../../ports/alarm.ts';
import type { Log } from '../../ports/log.ts';
import { schemaAlarm } from '../../telemetry/alarms/schema-alarm.ts';
import { noticeTopicOf } from '../../ums/schema-notice.ts';

const READ_BYTES = 1024 * 1024;
/** Ids remembered, so that a notice that the log has twice is told once. */
const TOLD_MAX = 1_000;

/** What {@link SchemaAlarms.since} gives. */
export interface SchemaNews {
  readonly alarms: readonly Alarm[];
  /** Where to go on; undefined: as before. */
  readonly next?: string;
}

/** Reads the notices of a line, and says which of them people want to know of. */
export class SchemaAlarms {
  readonly #log: Log;
  readonly #line: Line;
  readonly #told = new Set<string>();

  constructor({ log, line }: { readonly log: Log; readonly line: Line }) {
    this.#log = log;
    this.#line = line;
  }

  /**
   * One read of the notices from `next` on; undefined for a line that is watched for the first time, which is told of what comes from now on. Alarms and `next` are to be kept
   * together: then each notice is told, and not lost when another process watches. Errors: UMBUS_LOG_*.
   */
  async since(next: string | undefined, nowMs: number, signal: AbortSignal): Promise<SchemaNews> {
    const { ds, alarms: settings } = this.#line;
    const topic = (await this.#log.topics()).find(({ name }) => name === noticeTopicOf(ds));
    if (topic === undefined) return { alarms: [], next: next ?? '0' };
    const place = { topic: topic.name, partition: 0 };
    const latest = topic.extents[0]?.latest ?? 0n;
    if (next === undefined) return { alarms: [], next: String(latest) };
    if (BigInt(next) >= latest) return { alarms: [] };
    const offset = BigInt(next);
    const batch = await this.#log.read({ ...place, offset }, { maxBytes: READ_BYTES, maxWaitMs: 0 }, signal);
    const alarms: Alarm[] = [];
    for (const { value, offset: at } of batch.records) {
      const notice = readSchemaNotice(value ?? new Uint8Array(), { ...place, offset: at });
      const alarm = schemaAlarm(notice, settings.schemaChanges, nowMs);
      if (alarm !== null && this.#isNew(alarm.id)) alarms.push(alarm);
    }
    return { alarms, next: String(batch.nextOffset) };
  }

  #isNew(id: string): boolean {
    if (this.#told.has(id)) return false;
    this.#told.add(id);
    if (this.#told.size > TOLD_MAX) {
      for (const first of this.#told) {
        this.#told.delete(first);
        break;
      }
    }
    return true;
  }
}

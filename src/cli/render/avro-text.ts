import { Buffer } from 'node:buffer';
import type { Line } from '../../config/line.ts';
import { createAvroReader } from '../../consumer/avro.ts';
import { isUmbusError } from '../../core/errors.ts';
import type { LogRecord, TopicPartition } from '../../ports/log.ts';
import { resultTopicOf } from '../../ums/namespace.ts';

/** Reads records in Avro for people and programs. */
export interface AvroText extends AsyncDisposable {
  /** The record with its row as a UMS message in JSON; as it is where it is no row in Avro. Errors: UMBUS_REGISTRY_*. */
  asJson(place: TopicPartition, record: LogRecord): Promise<LogRecord>;
}

/** Opens what a topic in Avro is read with; null for any other topic. */
export async function openAvroText(
  { ds, schemas, registry: settings }: Line,
  topic: string,
): Promise<AvroText | null> {
  const inAvro = Object.entries(schemas).some(
    ([schema, { result }]) => result.format === 'avro' && resultTopicOf(ds, schema) === topic,
  );
  if (settings === null || !inAvro) return null;
  const { openRegistry } = await import('../../adapters/registry/index.ts');
  const { url, username, password } = settings;
  const registry = openRegistry({ url, username, password });
  const reader = createAvroReader(registry);
  return {
    async asJson(place, record) {
      const { key, value, offset } = record;
      if (value === null) return record;
      try {
        const message = await reader.read({ key, value }, { ...place, offset });
        return { ...record, value: Buffer.from(JSON.stringify(message)) };
      } catch (error) {
        // From before the topic was in Avro, or of somebody else.
        if (isUmbusError(error, 'UMBUS_UMS_INVALID')) return record;
        throw error;
      }
    },
    [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
  };
}

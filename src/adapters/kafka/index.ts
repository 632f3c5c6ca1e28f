import type { Log } from '../../ports/log.ts';
import type { KafkaLogOptions } from './options.ts';

/** Opens the log on a Kafka cluster. Errors: UMBUS_KAFKA_*. */
export async function openKafkaLog(options: KafkaLogOptions): Promise<Log> {
  const { openKafkaLog: open } = await import('./kafkajs/index.ts');
  return await open(options);
}

import type { Log } from '../../ports/log.ts';
import { Connections } from './connections.ts';
import { KafkaLog } from './kafka-log.ts';
import type { KafkaLogOptions } from './options.ts';

/**
 * Opens the log on a Kafka cluster, over the connections of kafkajs. Errors: UMBUS_KAFKA_UNREACHABLE, UMBUS_KAFKA_AUTH, UMBUS_KAFKA_TLS,
 * UMBUS_KAFKA_SETTING.
 */
export async function openKafkaLog(options: KafkaLogOptions): Promise<Log> {
  return await KafkaLog.open(new Connections(options), options);
}

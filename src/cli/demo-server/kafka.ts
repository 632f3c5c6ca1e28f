import { type KafkaCluster, type KafkaOptions, startCluster } from './kafka-cluster.ts';
import { type KafkaProgram, kafkaProgram, withClassArchive } from './kafka-program.ts';

/** Stops a broker in order, so that it writes the archive of its classes. */
async function trainingRun(program: KafkaProgram): Promise<void> {
  await using cluster = await startCluster(program, {});
  await cluster.brokers[0]?.stop();
}

/**
 * Makes Kafka ready to start: Java, the jars from Maven Central (45 MB, once) and an archive of classes, all but Java in the cache.
 * As root on Debian and Ubuntu it installs Java and Maven when they are missing. Errors: UMBUS_KAFKA_UNREACHABLE, whose message
 * says what to install.
 */
export async function ensureKafka(progress: (line: string) => void = () => {}): Promise<KafkaProgram> {
  return withClassArchive(await kafkaProgram(progress), trainingRun, progress);
}

/**
 * Starts a throw-away Kafka cluster of one broker or three: free ports of 127.0.0.1, topics made only when asked for, records up to
 * 10 MB. Disposing it kills the brokers and removes their data. Errors: UMBUS_KAFKA_UNREACHABLE when Kafka is missing or does not
 * start; UMBUS_KAFKA_SETTING when `logDirMaxBytes` is not possible here.
 */
export async function startKafka(
  options: KafkaOptions & { readonly progress?: (line: string) => void } = {},
): Promise<KafkaCluster> {
  return startCluster(await ensureKafka(options.progress), options);
}

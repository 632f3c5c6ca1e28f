import { ensurePrograms, findProgram } from '../../../src/cli/demo-server/programs.ts';

/**
 * Path of `kcat`, Kafka's command-line client on librdkafka, from Debian's package when this process is root. Errors: UMBUS_KAFKA_SETTING, which says what to
 * install.
 */
export function ensureKcat(progress: (line: string) => void = () => {}): Promise<string> {
  return ensurePrograms(
    {
      find: () => findProgram('kcat'),
      title: 'kcat',
      program: 'kcat',
      debianPackages: ['kcat'],
      byHand: 'Install kcat, which reads the topics independently of umbus',
      code: 'UMBUS_KAFKA_SETTING',
    },
    progress,
  );
}

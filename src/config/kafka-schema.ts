import { secret, tls } from './connection-settings.ts';
import { optionalSection } from './setting-groups.ts';
import { addresses, duration, flag, size, text, whole, word } from './settings.ts';

const sasl = optionalSection(
  { doc: 'Login at the brokers; left out: none.' },
  {
    mechanism: word(
      { words: ['plain', 'scram-sha-256', 'scram-sha-512'], doc: 'As the listener of the brokers has it.' },
      { value: 'scram-sha-512', text: 'scram-sha-512' },
    ),
    username: text({ doc: 'User.', expected: 'a user name', pattern: /./ }, 'required'),
    password: secret('The password.', 'required'),
  },
);

/** The `log.kafka` section. */
export const kafkaSchema = optionalSection(
  {
    doc: 'A Kafka cluster (3.0 or later), instead of `embedded`. Any number of processes on any machines may run the topologies of the line; they share the work.',
  },
  {
    brokers: addresses(
      {
        doc: 'Brokers to begin with; the others are found through them.',
        example: 'kafka-1:9092, kafka-2:9092',
      },
      'required',
    ),
    tls: tls(),
    sasl,
    replicationFactor: whole<null>(
      { doc: 'Copies of each partition of topics that are made.', min: 1, max: 32 },
      { value: null, text: "the brokers' default" },
    ),
    compression: word(
      { words: ['none', 'gzip', 'snappy', 'lz4', 'zstd'], doc: 'What batches are compressed with.' },
      { value: 'lz4', text: 'lz4' },
    ),
    maxRecordBytes: size(
      {
        doc: 'Largest record: `max.message.bytes` of topics that are made. A UMS message that holds one huge row can be this large.',
        min: '1MB',
        max: '100MB',
      },
      { value: 10 * 1024 ** 2, text: '10MB' },
    ),
    createTopics: flag(
      {
        doc: 'Whether missing topics are made. With `false` a missing one is an error that says how to make it.',
      },
      true,
    ),
    sessionTimeout: duration(
      {
        doc: 'A process that is silent for so long is taken for dead, and its partitions go to the others. At least `group.min.session.timeout.ms` of the brokers, which is 6s unless they say otherwise.',
        min: '1s',
        max: '5m',
      },
      { value: 10_000, text: '10s' },
    ),
  },
);

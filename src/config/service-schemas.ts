import { secret } from './connection-settings.ts';
import { optionalSection, section } from './setting-groups.ts';
import { addresses, duration, optionalText, text, word } from './settings.ts';

/** The `coordination` section. */
export const coordinationSchema = section(
  {
    doc: 'Where the processes of a line agree on who reads the source, who is alive, and shared config. Left out: beside the embedded log, or on Kafka itself.',
  },
  {
    zookeeper: optionalSection(
      { doc: 'A ZooKeeper ensemble (3.5 or later).' },
      {
        servers: addresses({ doc: 'Servers of the ensemble.', example: 'zk-1:2181, zk-2:2181' }, 'required'),
        root: text(
          {
            type: 'path',
            doc: 'All nodes of umbus lie below this one.',
            expected: 'a path such as /umbus',
            pattern: /^(\/[^/\s]+)+$/,
          },
          { value: '/umbus', text: '/umbus' },
        ),
        sessionTimeout: duration(
          {
            doc: 'A process that is silent for so long is taken for dead, and a standby takes its place.',
            min: '2s',
            max: '2m',
          },
          { value: 6_000, text: '6s' },
        ),
      },
    ),
  },
);

/** The `registry` section. */
export const registrySchema = optionalSection(
  {
    doc: 'A schema registry with the API of Confluent. The schema of the raw runs is registered there, and those of result topics in Avro.',
  },
  {
    url: text(
      {
        type: 'URL',
        doc: 'Where the API begins.',
        expected: 'a URL that begins with http:// or https://, without a login in it',
        pattern: /^https?:\/\/[^@\s]+$/,
        sensitive: true,
      },
      'required',
    ),
    username: optionalText({ type: 'text', doc: 'User.', expected: 'a user name', fallback: 'none' }),
    password: secret('The password.', { value: null, text: 'none' }),
    compatibility: word(
      {
        words: [
          'NONE',
          'BACKWARD',
          'BACKWARD_TRANSITIVE',
          'FORWARD',
          'FORWARD_TRANSITIVE',
          'FULL',
          'FULL_TRANSITIVE',
        ],
        doc: 'Set on each subject of a result topic in Avro: which changes of a table the registry lets pass.',
      },
      { value: 'BACKWARD', text: 'BACKWARD' },
    ),
  },
);

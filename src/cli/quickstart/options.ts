import { parseArgs } from 'node:util';
import { messageOf, UmbusError } from '../../core/errors.ts';

/** What the quickstart was asked to do. */
export interface QuickstartOptions {
  /** Run for a while without a terminal, compare, exit. */
  readonly once: boolean;
  /** Length of `--once`, in seconds. */
  readonly seconds: number;
  /** Where the line file and the log go. */
  readonly dir: string;
  /** Run on Kafka instead of the embedded log: on a broker of our own, or on these. */
  readonly kafka: false | 'own' | readonly string[];
  readonly help: boolean;
}

export const quickstartHelp = `Usage: npm run quickstart [-- options]

Starts a throw-away MariaDB with a small shop that changes all the time, runs a whole data line on the
embedded log or on Kafka, and shows what comes out. Ctrl-C stops everything.

Options:
  --once         run for a few seconds without a terminal, then compare what the result topics rebuild with the
                 tables in the database; exits with 0 only when they are equal
  --seconds <n>  how long --once keeps changing the shop (default 6)
  --dir <dir>    where the line file and the log go; made anew (default .umbus/quickstart)
  --kafka        on a throw-away Kafka broker instead of the embedded log (needs Java 17 and Maven; on Debian
                 as root they are installed)
  --brokers <host:port,...>
                 on this Kafka cluster, such as that of docker-compose.kafka.yml; topics shop* are made there
  --help         this text`;

/** Errors: UMBUS_USAGE. */
export function quickstartOptions(args: readonly string[]): QuickstartOptions {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        once: { type: 'boolean', default: false },
        seconds: { type: 'string', default: '6' },
        dir: { type: 'string', default: '.umbus/quickstart' },
        kafka: { type: 'boolean', default: false },
        brokers: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    const seconds = Number(values.seconds);
    if (!(seconds > 0 && seconds <= 3600))
      throw new Error(`--seconds ${values.seconds} is not a number from 0 to 3600`);
    const own = values.kafka ? 'own' : false;
    const kafka = values.brokers === undefined ? own : values.brokers.split(',').map(each => each.trim());
    return { once: values.once, seconds, dir: values.dir, kafka, help: values.help };
  } catch (cause) {
    throw new UmbusError('UMBUS_USAGE', `${messageOf(cause)}. See npm run quickstart -- --help.`, { cause });
  }
}

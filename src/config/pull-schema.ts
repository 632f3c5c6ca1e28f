import { secret } from './connection-settings.ts';
import type { Line } from './line.ts';
import { optionalSection, section } from './setting-groups.ts';
import { duration, durationOrNone, optionalText, size, text, whole, wholeOrNone } from './settings.ts';

/** The `pull` section. */
export const pullSchema = section(
  { doc: 'Full pulls: the topologies splitter and puller.' },
  {
    concurrency: whole<never>(
      {
        doc: 'Shards that each process reads from the source at a time, of all pulls together.',
        min: 1,
        max: 16,
      },
      { value: 6, text: '6' },
    ),
    heldBytes: size(
      {
        doc: 'Most that may wait of a table until its pull is over, where its changes wait: with `--mode blocking`, and for a table without a key. It is in the memory of the appender. More ends the pull.',
        min: '1MB',
        max: '1GB',
      },
      { value: 64 * 1024 * 1024, text: '64MB' },
    ),
    replica: optionalSection(
      {
        doc: 'A replica of the source that pulls read rows and definitions from, so that they are no burden to the source. It has to replicate the schema of `signals` too. Left out, pulls read the source.',
      },
      {
        host: text(
          { type: 'text', doc: 'Host name or address.', expected: 'a host name', pattern: /^[^\s/@]+$/ },
          'required',
        ),
        port: whole<null>({ doc: 'TCP port.', min: 1, max: 65_535 }, { value: null, text: 'as the source' }),
        user: optionalText({
          type: 'text',
          doc: 'Account with SELECT.',
          expected: 'a user name',
          fallback: 'as the source',
        }),
        password: secret('The password.', { value: null, text: 'as the source' }),
        timeout: duration(
          {
            doc: 'How long a watermark may take to come there before a pull ends: rows are never older than it.',
            min: '100ms',
            max: '1h',
          },
          { value: 60_000, text: '1m' },
        ),
      },
    ),
    backOff: section(
      { doc: 'When pulls wait, since they would be too much for others. They go on by themselves.' },
      {
        threadsRunning: wholeOrNone(
          { doc: 'While more threads run in the source (`Threads_running`).', min: 1, max: 100_000 },
          { value: 100, text: '100' },
        ),
        replicationLag: durationOrNone(
          { doc: 'While the source is so far behind the server that it copies, where it copies one.' },
          { value: 30_000, text: '30s' },
        ),
        lineLag: durationOrNone(
          {
            doc: 'While a watermark of a pull takes longer to come through the line: extractor, dispatcher or appender cannot keep up.',
          },
          { value: 60_000, text: '1m' },
        ),
      },
    ),
  },
);

/** Pulls that wait for nobody. */
export const noBackOff: Line['pull']['backOff'] = {
  threadsRunning: null,
  replicationLagMs: null,
  lineLagMs: null,
};

import type { StartPoint } from '../ports/change-source.ts';
import { secret, tls } from './connection-settings.ts';
import { choice, section } from './setting-groups.ts';
import { optionalText, text, whole } from './settings.ts';

const binlogFilePattern = /^[^/\\\s]+\.\d{6,10}$/;

/** The `source` section. */
export const sourceSchema = section(
  { doc: 'The server to read.' },
  {
    url: optionalText({
      type: '`mysql://user@host:port`',
      doc: 'The server in one text, instead of `host`, `port` and `user`. Signs such as `@` or `/` in a name are percent-encoded.',
      expected: 'a URL of the form mysql://user@host:port',
      sensitive: true,
      fallback: 'none',
    }),
    host: optionalText({
      type: 'text',
      doc: 'Host name or address.',
      expected: 'a host name',
      fallback: 'from `url`',
    }),
    port: whole<null>(
      { doc: 'TCP port.', min: 1, max: 65_535 },
      { value: null, text: 'from `url`, else 3306' },
    ),
    user: optionalText({
      type: 'text',
      doc: 'Account with REPLICATION SLAVE, REPLICATION CLIENT and SELECT; `umbus check` names what it lacks.',
      expected: 'a user name',
      fallback: 'from `url`',
    }),
    password: secret('The password.', { value: null, text: 'from `url`, else none' }),
    serverId: whole<null>(
      {
        doc: 'Replica server id to register with; no other replica of the server may have it.',
        min: 1,
        max: 4_294_967_295,
      },
      { value: null, text: 'made from `ds`' },
    ),
    tls: tls(),
    start: choice<StartPoint>(
      {
        type: '`now`, `earliest` or keys',
        doc: 'Where a line begins that has read nothing yet; later it goes on where its own log ends. `earliest`: the oldest binlog that the server has. Keys: either `file` and `position`, or `gtid`.',
        expected: 'now, earliest, { file, position } or { gtid }',
        words: ['now', 'earliest'],
      },
      { value: 'now', text: 'now' },
      input => (input === 'now' || input === 'earliest' ? { value: input } : null),
      [
        {
          shape: {
            file: text(
              {
                doc: 'Binlog file.',
                expected: 'a binlog file name, such as binlog.000042',
                pattern: binlogFilePattern,
              },
              'required',
            ),
            position: whole<never>(
              {
                doc: 'Offset in `file` at which a transaction begins.',
                min: 4,
                max: Number.MAX_SAFE_INTEGER,
              },
              { value: 4, text: '4' },
            ),
          },
          make: value => ({ file: String(value['file']), position: Number(value['position']) }),
        },
        {
          shape: {
            gtid: text(
              {
                doc: "GTID set that has been read already, in the server's own form.",
                expected: 'a GTID set, such as 0-1-270 or 3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5',
                pattern: /^[0-9A-Fa-f_a-z:,\-\s]+$/,
              },
              'required',
            ),
          },
          make: value => ({ gtid: String(value['gtid']).replaceAll(/\s/g, '') }),
        },
      ],
    ),
  },
);

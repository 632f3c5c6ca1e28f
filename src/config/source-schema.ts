import type { z } from 'zod';
import type { StartPoint } from '../ports/change-source.ts';
import { choice, flag, optionalText, section, text, whole } from './settings.ts';

/** Where a secret is, before it is read. */
export type SecretRef =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'env'; readonly name: string }
  | { readonly kind: 'file'; readonly path: string };

/** TLS as written: paths of PEM files. */
export interface TlsFiles {
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly verify: boolean;
}

const binlogFilePattern = /^[^/\\\s]+\.\d{6,10}$/;

const file = (doc: string): z.ZodType<string | null> =>
  optionalText({ type: 'path', doc, expected: 'the path of a PEM file', fallback: 'none' });

const tlsShape = {
  ca: file("PEM file with the certificates to trust; the system's own when left out."),
  cert: file('PEM file with our certificate, where the server wants one.'),
  key: file('PEM file with the private key of `cert`.'),
  verify: flag({ doc: 'Whether the certificate and the host name of the server are checked.' }, true),
};

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
    password: choice<SecretRef | null>(
      {
        type: 'text, `{ env: NAME }` or `{ file: path }`',
        doc: 'The password. A reference keeps it out of this file; of a file, one line end at its end is left out.',
        expected: 'a text, { env: NAME } or { file: path }',
        sensitive: true,
      },
      { value: null, text: 'from `url`, else none' },
      input => (typeof input === 'string' ? { value: { kind: 'text', text: input } } : null),
      [
        {
          shape: {
            env: text(
              {
                type: 'name',
                doc: 'Environment variable that holds the password.',
                expected: 'the name of an environment variable',
                pattern: /^[A-Za-z_][A-Za-z0-9_]*$/,
                sensitive: true,
              },
              'required',
            ),
          },
          make: value => ({ kind: 'env', name: String(value['env']) }),
        },
        {
          shape: {
            file: text(
              {
                type: 'path',
                doc: 'File that holds the password.',
                expected: 'a path',
                pattern: /./,
                sensitive: true,
              },
              'required',
            ),
          },
          make: value => ({ kind: 'file', path: String(value['file']) }),
        },
      ],
    ),
    serverId: whole<null>(
      {
        doc: 'Replica server id to register with; no other replica of the server may have it.',
        min: 1,
        max: 4_294_967_295,
      },
      { value: null, text: 'made from `ds`' },
    ),
    tls: choice<TlsFiles | null>(
      {
        type: '`true`, `false` or keys',
        doc: 'Whether the connection is encrypted; `true` is the same as the keys below with their defaults.',
        expected: 'true, false, or the keys ca, cert, key and verify',
        words: ['true', 'false'],
      },
      { value: null, text: 'false' },
      input => {
        if (input === true || input === 'true')
          return { value: { ca: null, cert: null, key: null, verify: true } };
        return input === false || input === 'false' ? { value: null } : null;
      },
      [{ shape: tlsShape, make: value => value as unknown as TlsFiles }],
    ),
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

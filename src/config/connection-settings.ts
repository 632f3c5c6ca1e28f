import type { z } from 'zod';
import type { Fallback } from './setting.ts';
import { choice } from './setting-groups.ts';
import { flag, optionalText, text } from './settings.ts';

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

const file = (doc: string): z.ZodType<string | null> =>
  optionalText({ type: 'path', doc, expected: 'the path of a PEM file', fallback: 'none' });

const tlsShape = {
  ca: file("PEM file with the certificates to trust; the system's own when left out."),
  cert: file('PEM file with our certificate, where the server wants one.'),
  key: file('PEM file with the private key of `cert`.'),
  verify: flag({ doc: 'Whether the certificate and the host name of the server are checked.' }, true),
};

/** A secret: the text itself, or where it is. `doc` says what it is. */
export function secret(doc: string, fallback: Fallback<SecretRef | null>): z.ZodType<SecretRef | null> {
  return choice<SecretRef | null>(
    {
      type: 'text, `{ env: NAME }` or `{ file: path }`',
      doc: `${doc} A reference keeps it out of this file; of a file, one line end at its end is left out.`,
      expected: 'a text, { env: NAME } or { file: path }',
      sensitive: true,
    },
    fallback,
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
  );
}

/** Whether, and how, a connection is encrypted. */
export function tls(): z.ZodType<TlsFiles | null> {
  return choice<TlsFiles | null>(
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
  );
}

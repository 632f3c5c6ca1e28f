import { alarmRules } from './alarm-rules-schema.ts';
import { secret } from './connection-settings.ts';
import { named, optionalSection, section } from './setting-groups.ts';
import { addressees, duration, flag, optionalText, text, whole, word, words } from './settings.ts';

const timeout = duration(
  { doc: 'A receiver that does not answer for so long has not taken the alarm.', min: '1s', max: '2m' },
  { value: 10_000, text: '10s' },
);

const webhook = section(
  {
    doc: 'A receiver of alarms over HTTP: each alarm is a `POST` with JSON as `ums-schema/alarm.schema.json` says.',
  },
  {
    url: text(
      {
        type: 'URL',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: the reference of the file format.
        doc: 'Where alarms are posted. `${NAME}` keeps what is secret in it out of this file.',
        expected: 'a URL that begins with http:// or https://, without a login in it',
        pattern: /^https?:\/\/[^@\s/]+(?:\/[^\s]*)?$/,
        sensitive: true,
      },
      'required',
    ),
    headers: named(
      {
        name: '<header>',
        doc: 'Headers of each request, such as `Authorization`.',
        expected: 'header names',
        expectedName: 'the name of an HTTP header',
        pattern: /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/,
        optional: true,
      },
      secret('Value of the header.', 'required'),
    ),
    secret: secret(
      'Key of the signature: with it, `umbus-signature: sha256=<hex>` is the HMAC-SHA-256 of the body.',
      { value: null, text: 'none' },
    ),
    timeout,
  },
);

const mail = optionalSection(
  { doc: 'A mail server (SMTP) that brings alarms to people.' },
  {
    host: text(
      {
        type: 'name',
        doc: 'Host of the server.',
        expected: 'a host name',
        pattern: /^[^\s:/]+$|^[0-9A-Fa-f:.]+$/,
      },
      'required',
    ),
    port: whole<null>(
      { doc: 'Port of the server.', min: 1, max: 65_535 },
      { value: null, text: '465 with `tls`, 587 with `starttls`, 25 with `none`' },
    ),
    encryption: word(
      {
        words: ['starttls', 'tls', 'none'],
        doc: '`starttls`: nothing is said before the connection is encrypted. `tls`: encrypted from the first byte. `none`: never, the login included.',
      },
      { value: 'starttls', text: 'starttls' },
    ),
    ca: optionalText({
      type: 'path',
      doc: "PEM file with the certificates to trust; the system's own when left out.",
      expected: 'the path of a PEM file',
      fallback: 'none',
    }),
    verify: flag({ doc: 'Whether the certificate and the host name of the server are checked.' }, true),
    username: optionalText({ type: 'text', doc: 'User.', expected: 'a user name', fallback: 'none' }),
    password: secret('The password.', { value: null, text: 'none' }),
    from: text(
      {
        type: 'address',
        doc: 'Sender.',
        expected: 'a mail address',
        pattern: /^[^\s@]+@[^\s@]+$|^[^<>]+<[^\s@]+@[^\s@]+>$/,
      },
      'required',
    ),
    to: addressees({ doc: 'Who gets the mails.' }),
    timeout,
  },
);

const command = section(
  {
    doc: 'A program that gets each alarm as JSON on its standard input. Exit code 0 takes it, 75 asks to come again, any other refuses.',
  },
  {
    run: words({
      doc: 'The program and its arguments; no shell reads them.',
      example: '/usr/local/bin/page, --team, data',
    }),
    timeout,
  },
);

/** The `alarms` section. */
export const alarmSchema = section(
  {
    doc: 'Who is told when people should look (webhooks, mail, commands), and of what. Without a receiver nobody watches the line.',
  },
  {
    webhooks: named(
      {
        name: '<name>',
        doc: 'Receivers over HTTP, by a name that log lines use.',
        expected: 'names of webhooks',
        expectedName: 'a name of up to 64 letters, digits, _ and -',
        pattern: /^[A-Za-z0-9_-]{1,64}$/,
        optional: true,
      },
      webhook,
    ),
    mail,
    commands: named(
      {
        name: '<name>',
        doc: 'Programs that are run for each alarm, by a name that log lines use.',
        expected: 'names of commands',
        expectedName: 'a name of up to 64 letters, digits, _ and -',
        pattern: /^[A-Za-z0-9_-]{1,64}$/,
        optional: true,
      },
      command,
    ),
    ...alarmRules,
    retryFor: duration(
      {
        doc: 'An alarm that a receiver does not take is tried again for so long, and then given up.',
        min: '1s',
        max: '7d',
      },
      { value: 900_000, text: '15m' },
    ),
  },
);

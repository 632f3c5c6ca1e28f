import { secret } from './connection-settings.ts';
import type { MetricsSettings } from './line.ts';
import { named, optionalSection, section } from './setting-groups.ts';
import { duration, listenAddress, optionalText, text, whole } from './settings.ts';

/** The `metrics` section. */
export const metricsSchema = section(
  {
    doc: 'What each process of the line measures, and where it goes. Nothing is measured while no destination is named.',
  },
  {
    every: duration(
      { doc: 'How often the source and the log are asked how far they are.', min: '1s', max: '10m' },
      { value: 15_000, text: '15s' },
    ),
    tables: whole<never>(
      {
        doc: 'Most tables with values of their own; the others are added up.',
        min: 1,
        max: 100_000,
      },
      { value: 1_000, text: '1000' },
    ),
    prometheus: optionalSection(
      { doc: 'Serves `/metrics`, `/healthz` and `/readyz`. `umbus run --metrics HOST:PORT` does so too.' },
      {
        listen: listenAddress(
          {
            doc: 'Where to listen. A port alone means this machine only; `0.0.0.0:9464` lets others come, and nothing asks them who they are.',
          },
          '127.0.0.1:9464',
        ),
      },
    ),
    influxdb: optionalSection(
      {
        doc: 'Writes every metric to InfluxDB 1.x, and the statistics of heartbeats as DBUS does, so that its dashboards work on.',
      },
      {
        url: text(
          {
            type: 'URL',
            doc: 'Where it is.',
            expected: 'a URL that begins with http:// or https://, without a login in it',
            pattern: /^https?:\/\/[^@\s]+$/,
          },
          { value: 'http://127.0.0.1:8086', text: 'http://127.0.0.1:8086' },
        ),
        database: text(
          {
            type: 'name',
            doc: 'The database; made when it is missing and the account may.',
            expected: 'a name of up to 64 letters, digits, _ and -',
            pattern: /^[A-Za-z0-9_-]{1,64}$/,
          },
          { value: 'umbus', text: 'umbus' },
        ),
        username: optionalText({ type: 'text', doc: 'User.', expected: 'a user name', fallback: 'none' }),
        password: secret('The password.', { value: null, text: 'none' }),
        every: duration(
          { doc: 'How often metrics are written.', min: '1s', max: '10m' },
          { value: 15_000, text: '15s' },
        ),
      },
    ),
    otlp: optionalSection(
      {
        doc: 'Sends a trace of the way of each heartbeat to a collector of OpenTelemetry, as OTLP over HTTP in JSON. Needs `heartbeat`.',
      },
      {
        url: text(
          {
            type: 'URL',
            doc: 'Where the collector is; spans go to `/v1/traces` below.',
            expected: 'a URL that begins with http:// or https://, without a login in it',
            pattern: /^https?:\/\/[^@\s]+$/,
          },
          { value: 'http://127.0.0.1:4318', text: 'http://127.0.0.1:4318' },
        ),
        headers: named(
          {
            name: '<header>',
            doc: 'Headers of each request, such as a key.',
            expected: 'header names',
            expectedName: 'the name of an HTTP header',
            pattern: /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/,
            optional: true,
          },
          secret('Value of the header.', 'required'),
        ),
        sample: whole<never>(
          { doc: 'One of so many rounds becomes traces.', min: 1, max: 1_000_000 },
          { value: 1, text: '1' },
        ),
      },
    ),
  },
);

/** What a line file without the section says: nothing is measured. */
export const noMetrics: MetricsSettings = {
  everyMs: 15_000,
  maxTables: 1_000,
  prometheus: null,
  influxdb: null,
  otlp: null,
};

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { closest } from '../../../src/config/closest.ts';
import { readLineText } from '../../../src/config/load-line.ts';
import { formatDuration, formatSize, parseDuration, parseSize } from '../../../src/config/quantity.ts';
import { maskerOf, redactedLine, secretMasker } from '../../../src/config/redaction.ts';
import { referenceMarkdown } from '../../../src/config/reference.ts';
import { beforeImage, subscription } from '../../../src/config/subscription.ts';
import { matcher } from '../../../src/config/table-pattern.ts';

describe('sizes and durations', () => {
  it('are read with their units', () => {
    assert.deepEqual(['0B', '256KB', '1 MB', '1.5gb', '2TiB'].map(parseSize), [
      0,
      262_144,
      1_048_576,
      1_610_612_736,
      2 * 1024 ** 4,
    ]);
    assert.deepEqual(
      ['200ms', '5s', '1.5h', '7d', '2m'].map(parseDuration),
      [200, 5_000, 5_400_000, 604_800_000, 120_000],
    );
  });

  it('are refused without a unit, with an unknown one, or when too large', () => {
    for (const text of ['', '5', 'KB', '-1KB', '5XB', '1e3KB', '999999999999999TB'])
      assert.equal(parseSize(text), null, text);
    for (const text of ['', '5', '5D', '5 days', '-1s', '1h30m'])
      assert.equal(parseDuration(text), null, text);
  });

  it('are printed in the largest unit that leaves a whole part', () => {
    assert.deepEqual([0, 1023, 1024, 1536, 10 * 1024 ** 3].map(formatSize), [
      '0 B',
      '1023 B',
      '1 KB',
      '1.5 KB',
      '10 GB',
    ]);
    assert.deepEqual([0, 999, 1500, 90_000, 604_800_000].map(formatDuration), [
      '0ms',
      '999ms',
      '1.5s',
      '1.5m',
      '7d',
    ]);
  });
});

describe('closest', () => {
  it('finds one slip of the finger, whatever its kind', () => {
    const keys = ['port', 'host', 'password', 'serverId'];
    assert.deepEqual(
      ['prot', 'pot', 'portt', 'hast', 'Pasword', 'serverid', 'zzz'].map(word => closest(word, keys)),
      ['port', 'port', 'port', 'host', 'password', 'serverId', null],
    );
  });

  it('is not slowed down by long words', () => {
    assert.equal(closest('x'.repeat(100_000), ['port']), null);
  });
});

describe('subscription', () => {
  const result = { partitions: null, placeBy: 'table', placeColumns: {}, format: 'json' } as const;
  const line = {
    schemas: {
      shop: {
        tables: ['order*', 'customer?', 'x_*_y_*_z'],
        exclude: ['*_tmp'],
        beforeImage: ['orders', 'order_tmp'],
        result,
      },
      crm: { tables: ['*'], exclude: [], beforeImage: [], result },
    },
  };

  it('takes what a pattern matches and no exclusion does, by exact case', () => {
    const subscribed = subscription(line);
    const tables = [
      'orders',
      'order',
      'Orders',
      'order_tmp',
      'customers',
      'customer',
      'x_1_y_2_z',
      'x_y_z',
      'x_1_y_2_z_',
    ];
    assert.deepEqual(
      tables.filter(table => subscribed('shop', table)),
      ['orders', 'order', 'customers', 'x_1_y_2_z'],
    );
    assert.ok(subscribed('crm', 'anything'));
    assert.ok(!subscribed('Shop', 'orders') && !subscribed('toString', 'orders'));
  });

  it('gives before images to published tables only', () => {
    const before = beforeImage(line);
    assert.ok(before('shop', 'orders'));
    assert.ok(!before('shop', 'order_tmp') && !before('crm', 'orders'));
  });

  it('matches as the same pattern does as a regular expression', () => {
    const piece = fc.constantFrom('a', 'b', '_', '*', '?', '.', '日');
    const texts = fc.array(piece, { maxLength: 8 }).map(parts => parts.join(''));
    fc.assert(
      fc.property(texts, texts, (pattern, name) => {
        const source = pattern.replaceAll(/[.]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.');
        assert.equal(matcher([pattern])(name), new RegExp(`^${source}$`, 'su').test(name));
      }),
    );
  });

  it('matches hostile patterns in bounded time', () => {
    assert.ok(!matcher(['*a'.repeat(100)])('a'.repeat(99)));
    assert.ok(!matcher([`${'*a'.repeat(60)}b*`])('a'.repeat(5_000)));
  });
});

describe('redaction', () => {
  const { line } = readLineText(
    'ds: s\nsource: { url: "mysql://u:geheim%2F@h", tls: true }\nschemas: { s: {} }\n',
    'l.yaml',
    {},
  );

  it('leaves no secret in a printed line', () => {
    assert.ok(line !== null);
    assert.equal(line.source.password, 'geheim/');
    assert.ok(!JSON.stringify(redactedLine(line)).includes('geheim'));
  });

  it('masks a secret inside other texts, escaped or not', () => {
    assert.ok(line !== null);
    const mask = secretMasker(line);
    assert.equal(mask('mysql://u:geheim%2F@h refused geheim/.'), 'mysql://u:******@h refused ******.');
  });

  it('leaves texts alone when the secret is too short to be told from words', () => {
    assert.equal(maskerOf(['a', ''])('a banana'), 'a banana');
  });
});

describe('the configuration reference', () => {
  const rows = referenceMarkdown().split('\n').slice(2);

  it('has a type and a sentence for every key', () => {
    assert.ok(rows.length > 30);
    for (const row of rows) assert.match(row, /^\| `[\w.<>]+` \| [^|]+ \| [^|]* \| [^|]+\. \|$/);
  });

  it('names the keys that must be given', () => {
    const required = rows.filter(row => row.includes('| required |')).map(row => row.split('`')[1]);
    assert.deepEqual(required, [
      'ds',
      'source.password.env',
      'source.password.file',
      'source.start.file',
      'source.start.gtid',
      'schemas',
      'schemas.<schema>.logical.<logical>',
      'schemas.<schema>.masks.<table.column>',
      ...['type', 'with', 'regex', 'replacement', 'key', 'size', 'module'].map(
        key => `schemas.<schema>.masks.<table.column>.${key}`,
      ),
      'schemas.<schema>.result.placeColumns.<pattern>',
      'log.kafka.brokers',
      'log.kafka.sasl.username',
      'log.kafka.sasl.password',
      'log.kafka.sasl.password.env',
      'log.kafka.sasl.password.file',
      'coordination.zookeeper.servers',
      'registry.url',
      'registry.password.env',
      'registry.password.file',
      'pull.replica.host',
      'pull.replica.password.env',
      'pull.replica.password.file',
      'masking.keys.<key>',
      'masking.keys.<key>.env',
      'masking.keys.<key>.file',
      'alarms.webhooks.<name>.url',
      'alarms.webhooks.<name>.headers.<header>',
      'alarms.webhooks.<name>.headers.<header>.env',
      'alarms.webhooks.<name>.headers.<header>.file',
      'alarms.webhooks.<name>.secret.env',
      'alarms.webhooks.<name>.secret.file',
      'alarms.mail.host',
      'alarms.mail.password.env',
      'alarms.mail.password.file',
      'alarms.mail.from',
      'alarms.mail.to',
      'alarms.commands.<name>.run',
      'metrics.influxdb.password.env',
      'metrics.influxdb.password.file',
      'metrics.otlp.headers.<header>',
      'metrics.otlp.headers.<header>.env',
      'metrics.otlp.headers.<header>.file',
    ]);
  });
});

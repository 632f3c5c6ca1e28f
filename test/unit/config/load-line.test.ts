// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the references of the file format.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadLine, readLineText } from '../../../src/config/load-line.ts';
import { mistakeText } from '../../../src/config/mistake.ts';
import { redactedLine, secretMasker } from '../../../src/config/redaction.ts';
import { noAlarms } from '../../../src/config/resolve-alarms.ts';
import { isUmbusError } from '../../../src/core/errors.ts';

const lines = join(import.meta.dirname, '../../../topologies/lines');

function lineOf(text: string, environment: Record<string, string> = {}) {
  const { line, mistakes } = readLineText(text, '/srv/lines/shop.yaml', environment);
  assert.deepEqual(mistakes.map(mistakeText), []);
  assert.ok(line !== null);
  return line;
}

describe('loadLine', () => {
  it('fills in every default', () => {
    const line = lineOf('ds: shop\nsource: { url: "mysql://umbus@db" }\nschemas: { shop: }\n');
    assert.deepEqual(line, {
      ds: 'shop',
      source: {
        kind: 'mysql',
        host: 'db',
        port: 3306,
        user: 'umbus',
        password: '',
        serverId: line.source.serverId,
        tls: null,
        start: 'now',
      },
      schemas: {
        shop: {
          tables: ['*'],
          exclude: [],
          beforeImage: [],
          logical: {},
          initial: 'none',
          masks: [],
          result: { partitions: null, placeBy: 'table', placeColumns: {}, format: 'json' },
        },
      },
      log: { kind: 'embedded', dir: '/srv/lines/.umbus/shop', maxBytes: 64 * 1024 ** 3 },
      guarantee: 'effectively-once',
      coordination: { kind: 'log' },
      registry: null,
      heartbeat: null,
      pull: {
        concurrency: 6,
        replica: null,
        heldBytes: 64 * 1024 ** 2,
        backOff: { threadsRunning: 100, replicationLagMs: 30_000, lineLagMs: 60_000 },
      },
      signals: { schema: 'dbus' },
      masking: { keys: {}, timeoutMs: 1_000, directory: '/srv/lines' },
      topics: { partitions: 4, retentionMs: 604_800_000, retentionBytes: 10 * 1024 ** 3 },
      extractor: { runBytes: 262_144 },
      appender: { maxRows: 500, maxBytes: 1_048_576, timeZone: 'UTC' },
      alarms: noAlarms,
      metrics: { everyMs: 15_000, maxTables: 1_000, prometheus: null, influxdb: null, otlp: null },
    });
    assert.ok(line.source.serverId >= 1_000_000_000 && line.source.serverId <= 4_294_967_295);
  });

  it('takes an address to listen at as a port, a host with a port, or an IPv6 address', () => {
    const listenOf = (listen: string) =>
      lineOf(
        `ds: shop\nsource: { url: "mysql://umbus@db" }\nschemas: { shop: }\nmetrics: { prometheus: { listen: ${listen} } }\n`,
      ).metrics.prometheus;
    assert.deepEqual(listenOf('9464'), { host: '127.0.0.1', port: 9464 });
    assert.deepEqual(listenOf('"0.0.0.0:80"'), { host: '0.0.0.0', port: 80 });
    assert.deepEqual(listenOf('"[::1]:9464"'), { host: '::1', port: 9464 });
    assert.deepEqual(listenOf(''), { host: '127.0.0.1', port: 9464 });
    const { mistakes } = readLineText(
      'ds: shop\nsource: { url: "mysql://umbus@db" }\nschemas: { shop: }\nmetrics: { prometheus: { listen: "here:99999" } }\n',
      '/srv/lines/shop.yaml',
      {},
    );
    assert.match(mistakes.map(mistakeText).join(), /host:port or a port, such as 127\.0\.0\.1:9464/);
  });

  it('gives a line that is frozen through and through', () => {
    const line = lineOf('ds: shop\nsource: { url: "mysql://umbus@db" }\nschemas: { shop: }\n');
    const open: string[] = [];
    const visit = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null) return;
      if (!Object.isFrozen(value)) open.push(path);
      for (const [key, child] of Object.entries(value)) visit(child, `${path}.${key}`);
    };
    visit(line, 'line');
    assert.deepEqual(open, []);
  });

  it('reads a log on Kafka, ZooKeeper, a registry and a result topic of several partitions', () => {
    const text = [
      'ds: shop',
      'source: { url: "mysql://umbus@db" }',
      'schemas:',
      '  shop: { result: { partitions: 12, placeBy: primary-key, placeColumns: { "order_*": [customer] }, format: avro } }',
      'log:',
      '  kafka:',
      '    brokers: ${BROKERS}',
      '    sasl: { username: umbus, password: { env: KAFKA_PASSWORD } }',
      '    compression: zstd',
      '    replicationFactor: 3',
      'guarantee: exactly-once',
      'coordination: { zookeeper: { servers: [zk-1:2181], sessionTimeout: 4s } }',
      'registry: { url: "http://registry:8081", username: u, password: { env: REGISTRY_PASSWORD }, compatibility: FULL }',
    ].join('\n');
    const environment = {
      BROKERS: 'k1:9092, [::1]:9093',
      KAFKA_PASSWORD: 'k-secret',
      REGISTRY_PASSWORD: 'r-secret',
    };
    const line = lineOf(text, environment);
    assert.deepEqual(line.log, {
      kind: 'kafka',
      brokers: ['k1:9092', '[::1]:9093'],
      tls: null,
      sasl: { mechanism: 'scram-sha-512', username: 'umbus', password: 'k-secret' },
      replicationFactor: 3,
      compression: 'zstd',
      maxRecordBytes: 10 * 1024 ** 2,
      createTopics: true,
      sessionTimeoutMs: 10_000,
    });
    assert.equal(line.guarantee, 'exactly-once');
    assert.deepEqual(line.coordination, {
      kind: 'zookeeper',
      servers: ['zk-1:2181'],
      root: '/umbus',
      sessionTimeoutMs: 4_000,
    });
    assert.deepEqual(line.registry, {
      url: 'http://registry:8081',
      username: 'u',
      password: 'r-secret',
      compatibility: 'FULL',
    });
    assert.deepEqual(line.schemas['shop']?.result, {
      partitions: 12,
      placeBy: 'primary-key',
      placeColumns: { 'order_*': ['customer'] },
      format: 'avro',
    });
    const printed = JSON.stringify(redactedLine(line));
    assert.ok(!/[kr]-secret/.test(printed), printed);
    assert.equal(secretMasker(line)('login umbus k-secret, r-secret'), 'login umbus ******, ******');
  });

  it('reads a url with escapes, an address in brackets and no port', () => {
    const line = lineOf('ds: s\nsource: { url: "mysql://a%40b:p%3Aw%2F@[::1]" }\nschemas: { s: {} }\n');
    const { host, port, user, password } = line.source;
    assert.deepEqual(
      { host, port, user, password },
      { host: '::1', port: 3306, user: 'a@b', password: 'p:w/' },
    );
  });

  it('expands references in any text, numbers too, with fallbacks and escapes', () => {
    const text = [
      'ds: ${NAME}',
      'source:',
      '  host: ${HOST:-db.local}',
      '  port: ${PORT}',
      '  user: a$${b}',
      'schemas:',
      '  shop: { tables: ["${NAME}_*"] }',
    ].join('\n');
    const line = lineOf(text, { NAME: 'crm', PORT: '3307', HOST: '' });
    assert.equal(line.ds, 'crm');
    assert.equal(line.source.host, 'db.local');
    assert.equal(line.source.port, 3307);
    assert.equal(line.source.user, 'a${b}');
    assert.deepEqual(line.schemas['shop']?.tables, ['crm_*']);
  });

  it('takes each form of a start point and of tls', () => {
    const of = (key: string) =>
      lineOf(`ds: s\nsource:\n  url: mysql://u@h\n  ${key}\nschemas: { s: {} }\n`).source;
    assert.equal(of('start: earliest').start, 'earliest');
    assert.deepEqual(of('start: { file: binlog.000042, position: 1234 }').start, {
      file: 'binlog.000042',
      position: 1234,
    });
    assert.deepEqual(of('start: { gtid: 0-1-270 }').start, { gtid: '0-1-270' });
    assert.deepEqual(of('tls: true').tls, { ca: null, cert: null, key: null, verify: true });
    assert.deepEqual(of('tls: { verify: false }').tls, { ca: null, cert: null, key: null, verify: false });
    assert.equal(of('tls: false').tls, null);
    assert.equal(of('start:').start, 'now');
  });

  it('reads secrets from the environment and from files beside the line', () => {
    const dir = mkdtempSync(join(tmpdir(), 'umbus-config-'));
    try {
      const file = join(dir, 'line.yaml');
      const text = (secret: string) =>
        `ds: s\nsource:\n  url: mysql://u@h\n  password: ${secret}\n  tls: { ca: ca.pem }\nschemas: { s: {} }\n`;
      writeFileSync(join(dir, 'secret'), 'from the file\n');
      writeFileSync(join(dir, 'ca.pem'), 'PEM');
      writeFileSync(file, text('{ file: secret }'));
      assert.equal(loadLine(file, {}).source.password, 'from the file');
      assert.equal(loadLine(file, {}).source.tls?.ca, 'PEM');
      writeFileSync(file, text('{ env: PW }'));
      assert.equal(loadLine(file, { PW: 'from the environment' }).source.password, 'from the environment');
      assert.throws(
        () => loadLine(file, {}),
        error => isUmbusError(error, 'UMBUS_SECRET_MISSING') && error.message.includes('line.yaml:4:20'),
      );
      rmSync(join(dir, 'ca.pem'));
      assert.throws(
        () => loadLine(file, { PW: 'x' }),
        error => isUmbusError(error, 'UMBUS_CONFIG_UNREADABLE'),
      );
      assert.throws(
        () => loadLine(join(dir, 'none.yaml'), {}),
        error => isUmbusError(error, 'UMBUS_CONFIG_UNREADABLE'),
      );
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('throws one error with all mistakes and the place of the first', () => {
    const dir = mkdtempSync(join(tmpdir(), 'umbus-config-'));
    try {
      const file = join(dir, 'line.yaml');
      writeFileSync(file, 'ds: s\nsource: { url: "mysql://u@h", prot: 1 }\nschemas: 3\n');
      assert.throws(
        () => loadLine(file, {}),
        error => {
          assert.ok(isUmbusError(error, 'UMBUS_CONFIG_INVALID'));
          assert.match(
            error.message,
            /has 2 mistakes:\n.*line\.yaml:2:31: source\.prot:.*\n.*line\.yaml:3:10: schemas:/,
          );
          assert.deepEqual(error.details, { file, line: 2, column: 31, mistakes: 2 });
          return true;
        },
      );
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('warns of a password in the file or the url, and only then', () => {
    const warnings = (source: string) =>
      readLineText(`ds: s\nsource: { ${source} }\nschemas: { s: {} }\n`, 'l.yaml', { PW: 'x' }).warnings.map(
        mistakeText,
      );
    assert.match(
      warnings('url: "mysql://u:geheim@h"').join(),
      /l\.yaml:2:16: source\.url: the password stands in the url/,
    );
    assert.match(
      warnings('url: "mysql://u@h", password: geheim').join(),
      /source\.password: the password stands in this file/,
    );
    assert.ok(!warnings('url: "mysql://u:geheim@h"').join().includes('geheim'));
    assert.deepEqual(warnings('url: "mysql://u@h", password: { env: PW }'), []);
  });

  it('loads the example lines', () => {
    assert.equal(loadLine(join(lines, 'shop.yaml'), { UMBUS_SHOP_PASSWORD: 'x' }).ds, 'shop');
    const text = readFileSync(join(lines, 'warehouse.yaml'), 'utf8').replace(
      '/run/secrets/warehouse-password',
      '/dev/null',
    );
    assert.deepEqual(Object.keys(lineOf(text).schemas), ['stock', 'suppliers']);
  });
});

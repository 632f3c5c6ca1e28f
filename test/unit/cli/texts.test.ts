import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, it } from 'node:test';
import { errorText } from '../../../src/cli/error-text.ts';
import { createEventLog } from '../../../src/cli/event-log.ts';
import { exitCodeOf } from '../../../src/cli/exit-codes.ts';
import {
  lineFileText,
  passwordVariableOf,
  type ServerFindings,
} from '../../../src/cli/init/line-file-text.ts';
import { jsonText } from '../../../src/cli/json-text.ts';
import { logPlace } from '../../../src/cli/open-line.ts';
import { tableText } from '../../../src/cli/table-text.ts';
import { readLineText } from '../../../src/config/load-line.ts';
import { mistakeText } from '../../../src/config/mistake.ts';
import { yamlValueOf } from '../../../src/config/yaml-value.ts';
import { type ErrorCode, errorTable, UmbusError } from '../../../src/core/errors.ts';

const found: ServerFindings = {
  ds: 'shop',
  host: 'db.example.org',
  port: 3307,
  user: 'umbus',
  tls: false,
  product: 'mariadb 10.11.19',
  serverId: 123_456,
  passwordVariable: 'UMBUS_SHOP_PASSWORD',
  kafka: null,
  heartbeat: true,
  schemas: [
    { name: 'shop', tables: 12 },
    { name: '2024', tables: 1 },
  ],
};

function reload(findings: ServerFindings) {
  const { line, mistakes, warnings } = readLineText(lineFileText(findings), '/srv/shop.yaml', {
    UMBUS_SHOP_PASSWORD: 'geheim',
  });
  assert.deepEqual([...mistakes, ...warnings].map(mistakeText), []);
  assert.ok(line !== null);
  return line;
}

describe('the line file that init writes', () => {
  it('loads as it is and says what was found', () => {
    const line = reload(found);
    assert.deepEqual(line.source, {
      kind: 'mysql',
      host: 'db.example.org',
      port: 3307,
      user: 'umbus',
      password: 'geheim',
      serverId: 123_456,
      tls: null,
      start: 'now',
    });
    assert.deepEqual(Object.keys(line.schemas).toSorted(), ['2024', 'shop']);
    assert.equal(logPlace(line), '/srv/.umbus/shop');
  });

  it('loads whatever names the server has', () => {
    const line = reload({
      ...found,
      ds: 'on',
      host: '::1',
      user: 'a: b@c/#$' + '{HOME}',
      tls: true,
      passwordVariable: null,
      schemas: [
        { name: 'no', tables: 0 },
        { name: 'we"ird.na\nme', tables: 1 },
      ],
    });
    assert.equal(line.ds, 'on');
    assert.equal(line.source.user, 'a: b@c/#$' + '{HOME}');
    assert.equal(line.source.host, '::1');
    assert.deepEqual(line.source.tls, { ca: null, cert: null, key: null, verify: true });
    assert.deepEqual(Object.keys(line.schemas), ['no']);
  });

  it('loads for a server without schemas too', () => {
    assert.deepEqual(Object.keys(reload({ ...found, schemas: [] }).schemas), ['shop']);
  });

  it('names a variable that a shell takes', () => {
    assert.equal(passwordVariableOf('my-shop_2'), 'UMBUS_MY_SHOP_2_PASSWORD');
  });
});

describe('errors', () => {
  it('have an exit code that scripts can tell apart', () => {
    const codes: readonly (readonly [ErrorCode, number])[] = [
      ['UMBUS_INTERNAL', 1],
      ['UMBUS_LOG_CORRUPT', 1],
      ['UMBUS_USAGE', 2],
      ['UMBUS_CONFIG_INVALID', 3],
      ['UMBUS_CONFIG_UNREADABLE', 3],
      ['UMBUS_SECRET_MISSING', 3],
      ['UMBUS_SOURCE_POSITION_GONE', 4],
      ['UMBUS_SOURCE_AUTH', 4],
      ['UMBUS_LOG_LOCKED', 5],
      ['UMBUS_LOG_FULL', 5],
    ];
    for (const [code, exit] of codes) assert.equal(exitCodeOf(new UmbusError(code, 'x')), exit, code);
    assert.equal(exitCodeOf(new Error('x')), 1);
  });

  it('are printed with code, message and remedy', () => {
    const text = errorText(new UmbusError('UMBUS_LOG_LOCKED', 'Process 7 owns it.'));
    assert.equal(
      text,
      `umbus: UMBUS_LOG_LOCKED: Process 7 owns it.\n  ${errorTable.UMBUS_LOG_LOCKED.remedy}`,
    );
  });

  it('ask for a report when they were not expected', () => {
    assert.match(errorText(new TypeError('oh')), /^umbus: UMBUS_INTERNAL: .*report it\.\nTypeError: oh\n/);
  });
});

describe('events', () => {
  const clock = { now: () => Date.UTC(2026, 10, 21, 1, 2, 3, 456), sleep: async () => {} };
  const lines = (format: 'text' | 'json') => {
    const written: string[] = [];
    const log = createEventLog(format, clock, line => written.push(line));
    log('warn', 'Something\n happened.', {
      topic: 'a/0',
      reason: 'two words',
      n: 5n,
      none: undefined,
      nil: null,
    });
    return written;
  };

  it('are one line each, with time, level, sentence and facts', () => {
    assert.deepEqual(lines('text'), [
      '2026-11-21T01:02:03.456Z warn  Something happened. topic=a/0 reason="two words" n=5 nil=null',
    ]);
  });

  it('are one JSON object each when asked for', () => {
    assert.deepEqual(
      lines('json').map(line => JSON.parse(line)),
      [
        {
          time: '2026-11-21T01:02:03.456Z',
          level: 'warn',
          message: 'Something\n happened.',
          topic: 'a/0',
          reason: 'two words',
          n: '5',
          nil: null,
        },
      ],
    );
  });
});

describe('values given on the command line', () => {
  it('are what they look like in YAML, or text', () => {
    assert.deepEqual(
      ['3', 'true', '[a, 2]', '{ a: 1 }', '', 'a: 1', '?', '*.log', '- x', 'null', '{'].map(yamlValueOf),
      [3, true, ['a', 2], { a: 1 }, '', 'a: 1', '?', '*.log', '- x', '', '{'],
    );
  });
});

describe('tables and JSON', () => {
  it('align columns by what is seen, not by styles', () => {
    const text = tableText(
      [{ title: 'a' }, { title: 'number', align: 'right' }, { title: 'c' }],
      [
        ['\u001b[31mred\u001b[39m', '5', 'x'],
        ['日本', '12345678', ''],
      ],
    );
    assert.equal(text, 'a      number  c\n\u001b[31mred\u001b[39m         5  x\n日本   12345678');
  });

  it('keep numbers exact', () => {
    assert.equal(
      jsonText({ a: 5n, b: 2n ** 60n, c: Buffer.from('x'), d: new Uint8Array([255]) }, 0),
      '{"a":5,"b":"1152921504606846976","c":"eA==","d":"/w=="}',
    );
  });
});

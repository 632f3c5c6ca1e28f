// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the references of the file format.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readLineText } from '../../../src/config/load-line.ts';
import { mistakeText } from '../../../src/config/mistake.ts';

const environment = { SHOP_PASSWORD: 'geheim-1', SHOP_PORT: '33o6' };

/** A valid file; cases replace parts of it. */
const good = `ds: shop
source:
  url: mysql://umbus@db:3306
schemas:
  shop: {}
`;

interface Case {
  readonly name: string;
  readonly text: string;
  /** All mistakes, in order. */
  readonly mistakes: readonly string[];
}

const cases: readonly Case[] = [
  {
    name: 'an empty file lacks every required key',
    text: '',
    mistakes: [
      'l.yaml:1:1: ds: is missing (name)',
      'l.yaml:1:1: schemas: is missing (map)',
      'l.yaml:1:1: source: needs url, or host and user',
    ],
  },
  {
    name: 'a mask of an unknown type, without its parameter, or with that of another, is told with its place',
    text: `${good.replace('shop: {}', "shop:\n    masks:\n      '*.a': mdfive\n      '*.b': { type: hmac }\n      '*.c': { type: replace }\n      '*.d': { type: md5, length: 3 }\n      '*.h': { type: bucket, size: week }")}`,
    mistakes: [
      'l.yaml:7:14: schemas.shop.masks["*.a"]: expected default-value, replace, md5, murmur3, regex, hmac-sha256, digits, keep-edges, truncate, bucket, null, function, found "mdfive"',
      'l.yaml:8:22: schemas.shop.masks["*.b"].type: expected default-value, replace, md5, murmur3, regex, hmac-sha256, digits, keep-edges, truncate, bucket, null, function, found "hmac"',
      'l.yaml:9:7: schemas.shop.masks["*.c"].with: is missing (text)',
      'l.yaml:10:27: schemas.shop.masks["*.d"].length: cannot stand beside the other keys here',
      'l.yaml:11:36: schemas.shop.masks["*.h"].size: expected a number above 0, or one of year, quarter, month, day, hour, found "week"',
    ],
  },
  {
    name: 'a logical table without patterns or with an empty one is told with its place',
    text: good.replace('shop: {}', "shop: { logical: { b: [], c: [''], d: 'orders_*' } }"),
    mistakes: [
      "l.yaml:5:25: schemas.shop.logical.b: expected a list of table patterns, such as ['order_*'], found an empty list",
      "l.yaml:5:32: schemas.shop.logical.c: expected a list of table patterns, such as ['order_*'], found a list",
      `l.yaml:5:41: schemas.shop.logical.d: expected a list of table patterns, such as ['order_*'], found "orders_*"; write ['orders_*']`,
    ],
  },
  {
    name: 'a logical table with a bad name is told with its place',
    text: good.replace('shop: {}', "shop: { logical: { 'a.b': [orders_1] } }"),
    mistakes: [
      'l.yaml:5:22: schemas.shop.logical["a.b"]: expected a name of up to 64 letters, digits, _, $ and -',
    ],
  },
  {
    name: 'a pattern of columns needs a dot',
    text: good.replace('shop: {}', 'shop: { masks: { nodot: md5 } }'),
    mistakes: [
      'l.yaml:5:20: schemas.shop.masks.nodot: expected a pattern of tables and one of columns with a dot between, such as *.phone',
    ],
  },
  {
    name: 'a mask that cannot be used is told with its place: keys, expressions, modules, sizes',
    text: `${good.replace('shop: {}', "shop:\n    masks:\n      '*.a': { type: digits, key: pii }\n      '*.b': { type: hmac-sha256, key: short }\n      '*.c': { type: regex, regex: '(a+)+', replacement: x }\n      '*.d': { type: regex, regex: '[a', replacement: x }\n      '*.e': { type: regex, regex: 'a', replacement: $2 }\n      '*.f': { type: function, module: ./nowhere.ts }\n      '*.g': truncate\n      '*.i': { type: md5, salt: short, saltColumn: id }")}masking: { keys: { short: { env: SHOP_PORT } } }\n`,
    mistakes: [
      'l.yaml:7:35: schemas.shop.masks["*.a"].key: there is no key pii in masking.keys; the keys are short',
      'l.yaml:8:40: schemas.shop.masks["*.b"].key: the key short is shorter than 16 bytes',
      'l.yaml:9:36: schemas.shop.masks["*.c"].regex: could take for ever: a part that is repeated has a choice or a repetition within',
      'l.yaml:10:36: schemas.shop.masks["*.d"].regex: is no regular expression (Unterminated character class)',
      'l.yaml:11:54: schemas.shop.masks["*.e"].replacement: names group 2, and the regular expression has 0',
      'l.yaml:12:40: schemas.shop.masks["*.f"].module: there is no such file',
      'l.yaml:13:7: schemas.shop.masks["*.g"].length: is missing (whole number)',
      'l.yaml:14:52: schemas.shop.masks["*.i"].saltColumn: cannot stand beside salt; remove one of them',
    ],
  },
  {
    name: 'a line has one log',
    text: `${good}log:\n  embedded: { maxBytes: 1GB }\n  kafka: { brokers: [k:9092] }\n`,
    mistakes: ['l.yaml:7:3: log.embedded: cannot stand beside kafka: a line has one log; remove one of them'],
  },
  {
    name: 'brokers are host and port, and a wrong word is told with the one that was meant',
    text: `${good}log:\n  kafka: { brokers: [kafka], compresion: lz4, sasl: { mechanism: plian, username: u, password: '' } }\n`,
    mistakes: [
      'l.yaml:7:21: log.kafka.brokers: expected a list of host:port, such as [kafka-1:9092, kafka-2:9092], found a list',
      'l.yaml:7:30: log.kafka.compresion: this key is not known; did you mean compression?',
      'l.yaml:7:66: log.kafka.sasl.mechanism: expected plain, scram-sha-256, scram-sha-512, found "plian"; did you mean plain?',
    ],
  },
  {
    name: 'a login belongs beside the URL of the registry, and Avro needs a registry',
    text: `${good.replace('{}', '{ result: { format: avro, placeColumns: { o: customer } } }')}`,
    mistakes: [
      'l.yaml:5:29: schemas.shop.result.format: avro needs a schema registry; add registry: { url: ... }',
      'l.yaml:5:54: schemas.shop.result.placeColumns.o: expected a list of column names, such as [customer_id], found "customer"; write [customer]',
    ],
  },
  {
    name: 'a session timeout has a unit and bounds',
    text: `${good}coordination: { zookeeper: { servers: zk:2181, sessionTimeout: 10 } }\nregistry: { url: 'http://u:geheim-1@r' }\n`,
    mistakes: [
      'l.yaml:6:64: coordination.zookeeper.sessionTimeout: expected a duration from 2s to 2m, such as 10s, found "10"; write 10s for seconds',
      'l.yaml:7:18: registry.url: expected a URL that begins with http:// or https://, without a login in it, found a text',
    ],
  },
  {
    name: 'a misspelt key is placed at the key, with the one that was meant',
    text: good.replace('  url:', '  prot: 3307\n  url:'),
    mistakes: ['l.yaml:3:3: source.prot: this key is not known; did you mean port?'],
  },
  {
    name: 'a key in the wrong section is told where it belongs',
    text: `${good}maxRows: 100\n`,
    mistakes: ['l.yaml:6:1: maxRows: this key is not known; did you mean appender.maxRows?'],
  },
  {
    name: 'a key like no other gets the list of keys',
    text: `${good}extractor: { zzzzzz: 1 }\n`,
    mistakes: ['l.yaml:6:14: extractor.zzzzzz: this key is not known; the keys here are runBytes'],
  },
  {
    name: 'all mistakes are told at once, by place',
    text: `ds: my shop
source:
  host: db
  user: umbus
  port: 70000
  start: erliest
schemas:
  shop:
    tables: orders
topics:
  retention: 7
  partitions: 0
log: { embedded: { maxBytes: 10 } }
appender:
  timeZone: Europe/Berln
  maxRows: many
`,
    mistakes: [
      'l.yaml:1:5: ds: expected a name of up to 64 letters, digits, _ and -, found "my shop"',
      'l.yaml:5:9: source.port: expected a whole number from 1 to 65535, found "70000"',
      'l.yaml:6:10: source.start: expected now, earliest, { file, position } or { gtid }, found "erliest"; did you mean earliest?',
      "l.yaml:9:13: schemas.shop.tables: expected a list of table patterns, such as ['order_*'], found \"orders\"; write ['orders']",
      'l.yaml:11:14: topics.retention: expected a duration such as 7d, 12h or 30m, or none, found "7"; write 7d for days, 7h for hours',
      'l.yaml:12:15: topics.partitions: expected a whole number from 1 to 1024, found "0"',
      'l.yaml:13:30: log.embedded.maxBytes: expected a size from 64MB to 16TB, such as 256KB, found "10"; write 10B for bytes',
      'l.yaml:15:13: appender.timeZone: expected an IANA time zone, such as UTC or Europe/Berlin, found "Europe/Berln"; did you mean Europe/Berlin?',
      'l.yaml:16:12: appender.maxRows: expected a whole number from 1 to 100000, found "many"',
    ],
  },
  {
    name: 'url and its parts exclude each other',
    text: good.replace('db:3306\n', 'db:3306\n  host: db\n  user: me\n  port: 3306\n'),
    mistakes: [
      'l.yaml:4:9: source.host: given twice: url names the host too; remove one of them',
      'l.yaml:5:9: source.user: given twice: url names the user too; remove one of them',
      'l.yaml:6:9: source.port: given twice: url names the port too; remove one of them',
    ],
  },
  {
    name: 'a url without a user needs one beside it',
    text: good.replace('umbus@', ''),
    mistakes: ['l.yaml:2:1: source.user: is missing (text)'],
  },
  {
    name: 'a url with a path is refused',
    text: good.replace('3306', '3306/shop'),
    mistakes: [
      'l.yaml:3:8: source.url: expected nothing after host and port; percent-encode / ? and # in names and passwords',
    ],
  },
  {
    name: 'a reference to a variable that is not set is placed, and hides no second mistake of the same key',
    text: good.replace('db:3306', 'db\n  port: ${SHOP_PROT}'),
    mistakes: [
      'l.yaml:4:9: source.port: the environment variable SHOP_PROT is not set; did you mean SHOP_PORT?',
    ],
  },
  {
    name: 'the value of a variable is never quoted, only the reference',
    text: good.replace('db:3306', 'db\n  port: ${SHOP_PORT}'),
    mistakes: ['l.yaml:4:9: source.port: expected a whole number from 1 to 65535, found "${SHOP_PORT}"'],
  },
  {
    name: 'a broken reference is told how to write one',
    text: good.replace('db:3306', 'db\n  port: ${'),
    mistakes: [
      'l.yaml:4:9: source.port: expected an environment reference of the form ${NAME} or ${NAME:-fallback}; write $${ for the signs themselves',
    ],
  },
  {
    name: 'a missing secret is placed at its name',
    text: good.replace('3306\n', '3306\n  password: { env: SHOP_PASWORD }\n'),
    mistakes: [
      'l.yaml:4:20: source.password.env: the environment variable SHOP_PASWORD is not set; did you mean SHOP_PASSWORD?',
    ],
  },
  {
    name: 'a secret file that is not there is told without its content',
    text: good.replace('3306\n', '3306\n  password: { file: /nowhere/secret }\n'),
    mistakes: ['l.yaml:4:21: source.password.file: the file cannot be read (ENOENT)'],
  },
  {
    name: 'a start point mixes no forms',
    text: good.replace('3306\n', '3306\n  start: { file: binlog.000001, position: 2, gtid: 0-1-2 }\n'),
    mistakes: [
      'l.yaml:4:43: source.start.position: expected a whole number from 4 to 9007199254740991, found "2"',
      'l.yaml:4:46: source.start.gtid: cannot stand beside the other keys here',
    ],
  },
  {
    name: 'a schema name with a dot would make topic names ambiguous',
    text: good.replace('shop: {}', 'a.b: {}'),
    mistakes: [
      'l.yaml:5:3: schemas["a.b"]: expected a schema name of up to 64 letters, digits, _ and -, as topic names need',
    ],
  },
  {
    name: 'a broken text is told by its first place, and keys are not guessed at',
    text: good.replace('schemas:', ' schemas:'),
    mistakes: ['l.yaml:4:1: the indentation does not fit the lines before it'],
  },
  {
    name: 'a key given twice is told',
    text: `${good}ds: other\n`,
    mistakes: ['l.yaml:6:1: this key was given before'],
  },
  {
    name: 'a list is no line',
    text: '- ds: shop\n',
    mistakes: [
      'l.yaml:1:1: expected a group of keys, found a list',
      'l.yaml:1:1: source: needs url, or host and user',
    ],
  },
];

describe('mistakes in a data line file', () => {
  for (const { name, text, mistakes } of cases) {
    it(name, () => {
      const reading = readLineText(text, 'l.yaml', environment);
      assert.deepEqual(reading.mistakes.map(mistakeText), mistakes);
      assert.equal(reading.line, null);
    });
  }

  it('finds none in the file that the cases vary', () => {
    assert.deepEqual(readLineText(good, 'l.yaml', {}).mistakes, []);
  });

  it('never quotes a secret, wherever it was mistyped', () => {
    const secret = 'Tr0ub4dor';
    const places = [
      `  password: [${secret}]`,
      `  password: {${secret}}`,
      `  password: { env: '${secret} x' }`,
      `  password: @${secret}`,
      `  password: *${secret}`,
      `  password: !${secret} x`,
      `  password: "${secret}`,
      `  password: ${secret}: x`,
      `  password: "\\q${secret}"`,
      `  pasword: ${secret}`,
      `  password: &p ${secret}\n  port: *p`,
      `  port: \${SECRET}`,
    ];
    for (const place of places) {
      const text = good.replace('3306\n', `3306\n${place}\n`).replace('umbus@', '');
      const { mistakes } = readLineText(text, 'l.yaml', { SECRET: secret });
      assert.ok(mistakes.length > 0, place);
      assert.ok(!mistakes.map(mistakeText).join('\n').includes(secret), place);
    }
    for (const url of [
      `u:${secret}`,
      `mysql://u:${secret}@h/x`,
      `mysql://u:${secret}@h:99999`,
      `mysql://u:%${secret}@h`,
    ]) {
      const { mistakes } = readLineText(good.replace(/mysql:.*/, url), 'l.yaml', {});
      assert.ok(mistakes.length > 0, url);
      assert.ok(!mistakes.map(mistakeText).join('\n').includes(secret), url);
    }
  });

  it('reads aliases that multiply within bounds', () => {
    const levels = Array.from(
      { length: 12 },
      (_, level) =>
        `a${level}: &a${level} [${Array(9)
          .fill(level === 0 ? 'x' : `*a${level - 1}`)
          .join(', ')}]`,
    );
    const { line, mistakes } = readLineText(`${levels.join('\n')}\n`, 'l.yaml', {});
    assert.equal(line, null);
    assert.ok(mistakes.some(mistake => mistake.problem.includes('repeated too often')));
  });
});

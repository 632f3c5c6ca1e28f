import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { readUms, rows } from '../../../src/consumer/index.ts';
import { isUmbusError } from '../../../src/core/errors.ts';
import type { UmsMessage, UmsMessageType } from '../../../src/ums/types.ts';
import { schemaFolder, validate } from './schema.ts';

const examples = readdirSync(new URL('examples/', schemaFolder)).map(name => ({
  name,
  bytes: readFileSync(new URL(`examples/${name}`, schemaFolder)),
}));

const example = (name: string): UmsMessage => {
  const found = examples.find(candidate => candidate.name === `${name}.json`);
  assert.ok(found, `examples/${name}.json is there`);
  return JSON.parse(found.bytes.toString('utf8'));
};

const types: UmsMessageType[] = [
  'data_increment_data',
  'data_initial_data',
  'data_increment_heartbeat',
  'data_increment_termination',
];

for (const { name, bytes } of examples) {
  test(`example ${name} is valid and is read as UMS`, () => {
    assert.ok(validate(JSON.parse(bytes.toString('utf8'))), JSON.stringify(validate.errors));
    assert.equal(readUms(bytes).protocol.version, '1.3');
  });
}

test('there is an example of every message type and of every value type that a source column can have', () => {
  assert.deepEqual(
    types.filter(type => example(type).protocol.type !== type),
    [],
  );
  const shown = new Set(example('data_increment_data.values').schema.fields.map(({ type }) => type));
  const wanted = [
    'string',
    'int',
    'long',
    'float',
    'double',
    'date',
    'datetime',
    'decimal',
    'binary',
    'jsonobject',
  ] as const;
  assert.deepEqual(
    wanted.filter(type => !shown.has(type)),
    [],
  );
});

test('the ids in the examples follow from each other as the README says', () => {
  let seen = 0;
  for (const { bytes } of examples) {
    for (const row of rows(readUms(bytes))) {
      assert.equal(String(row.uid), `1${String(row.id).padStart(19, '0')}${row.op === 'b' ? 0 : 1}`);
      seen += 1;
    }
  }
  assert.ok(seen >= 9);
});

/** A change of a valid message, and what it breaks; both the schema and the reader must refuse it. */
const broken: readonly (readonly [what: string, from: UmsMessageType, change: (message: Loose) => void])[] = [
  [
    'no protocol',
    'data_increment_data',
    m => {
      delete m['protocol'];
    },
  ],
  [
    'an unknown type',
    'data_increment_data',
    m => {
      m['protocol'].type = 'data_batch';
    },
  ],
  [
    'a version before 1.3',
    'data_increment_data',
    m => {
      m['protocol'].version = '1.2';
    },
  ],
  [
    'a namespace of six parts',
    'data_increment_data',
    m => {
      m['schema'].namespace = 'mysql.shop.store.orders.0.0';
    },
  ],
  [
    'a namespace without a version',
    'data_increment_data',
    m => {
      m['schema'].namespace = 'mysql.shop.store.orders.x.0.0';
    },
  ],
  [
    'no fields',
    'data_increment_data',
    m => {
      delete m['schema'].fields;
    },
  ],
  [
    'an unknown field type',
    'data_increment_data',
    m => {
      m['schema'].fields[4].type = 'blob';
    },
  ],
  [
    'a field without encoded',
    'data_increment_data',
    m => {
      delete m['schema'].fields[4].encoded;
    },
  ],
  [
    'a system column too few',
    'data_increment_data',
    m => {
      m['schema'].fields.splice(3, 1);
    },
  ],
  [
    'a nullable ums_id_',
    'data_increment_data',
    m => {
      m['schema'].fields[0].nullable = true;
    },
  ],
  [
    'an empty primary key',
    'data_increment_data',
    m => {
      m['schema'].primaryKey = [];
    },
  ],
  [
    'a numeric ums_id_',
    'data_increment_data',
    m => {
      m['payload'][0].tuple[0] = 1;
    },
  ],
  [
    'an unknown operation',
    'data_increment_data',
    m => {
      m['payload'][0].tuple[2] = 'x';
    },
  ],
  [
    'a ums_uid_ that is not digits',
    'data_increment_data',
    m => {
      m['payload'][0].tuple[3] = '1-2';
    },
  ],
  [
    'an object as value',
    'data_increment_data',
    m => {
      m['payload'][0].tuple[5] = { base64: 'AA==' };
    },
  ],
  [
    'a row that is no tuple',
    'data_increment_data',
    m => {
      m['payload'][0] = [];
    },
  ],
  [
    'an unknown reason',
    'data_increment_termination',
    m => {
      m['schema'].reason = 'other';
    },
  ],
];

// A message under destruction: every member may be anything.
// biome-ignore lint/suspicious/noExplicitAny: tests break messages in ways that their type does not allow.
type Loose = Record<string, any>;

for (const [what, from, change] of broken) {
  test(`schema and reader both refuse ${what}`, () => {
    const message: Loose = { ...example(from) };
    change(message);
    assert.equal(validate(message), false);
    assert.throws(
      () => readUms(Buffer.from(JSON.stringify(message))),
      error => isUmbusError(error, 'UMBUS_UMS_INVALID'),
    );
  });
}

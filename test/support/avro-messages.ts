import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import type { AppendOutput } from '../../src/stages/append.ts';
import { dataHeader, dataMessage, messageKey } from '../../src/ums/message.ts';
import { namespaceOf, resultTopicOf } from '../../src/ums/namespace.ts';
import type { UmsField, UmsType, UmsValue } from '../../src/ums/types.ts';

const digits = (limit: bigint): fc.Arbitrary<string> =>
  fc.bigInt({ min: -limit, max: limit - 1n }).map(String);
const text = fc.string({ unit: 'binary', maxLength: 20 });

/** Values of each UMS type as a message has them. */
const values: Readonly<Record<UmsType, fc.Arbitrary<UmsValue>>> = {
  string: text,
  int: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  long: fc.oneof(digits(2n ** 63n), fc.constantFrom('0', '9223372036854775807', '-9223372036854775808')),
  // As the appender writes them: the shortest text that is the same 32-bit float.
  float: fc.float({ noNaN: true, noDefaultInfinity: true }).map(shortestFloat),
  double: fc.double({ noNaN: true, noDefaultInfinity: true }).map(value => value + 0),
  boolean: fc.boolean(),
  date: fc.constantFrom('2026-01-05', '0000-00-00', '2026-00-15'),
  datetime: fc.constantFrom('2026-01-05 17:00:00', '0000-00-00 00:00:00.000000'),
  decimal: fc.constantFrom('0.00', '-12345678901234567890123456789.1234567890', '7'),
  binary: fc.uint8Array({ maxLength: 20 }).map(bytes => Buffer.from(bytes).toString('base64')),
  raw: text,
  jsonobject: fc.json(),
};

function shortestFloat(value: number): number {
  for (let digits = 1; digits <= 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short + 0;
  }
  return value + 0;
}

/** A message of a table: columns of all types with odd names, a key or none, and rows. */
export const dataOutputs: fc.Arbitrary<AppendOutput> = fc
  .array(
    fc.record({
      name: fc.oneof(
        fc.constantFrom(
          'id',
          'order-no',
          'ums_batch_id_',
          'int',
          '2nd',
          'a_x2d_b',
          'größe',
          '__proto__',
          'constructor',
          'toString',
          'clone',
          'isValid',
          'hasOwnProperty',
          'default',
        ),
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
      ),
      type: fc.constantFrom(...(Object.keys(values) as UmsType[])),
      nullable: fc.boolean(),
      encoded: fc.boolean(),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map(fields => fields.filter(({ name }, index) => fields.findIndex(each => each.name === name) === index))
  .chain(fields =>
    fc.record({
      fields: fc.constant(fields),
      keyed: fc.boolean(),
      version: fc.nat(3),
      tuples: fc.array(
        fc.tuple(
          fc.nat(1_000),
          fc.constantFrom('i', 'u', 'd', 'b'),
          ...fields.map(({ type, nullable }) => (nullable ? fc.option(values[type]) : values[type])),
        ),
        { minLength: 1, maxLength: 4 },
      ),
    }),
  )
  .map(({ fields, keyed, version, tuples }) =>
    dataOutput(
      'a.b "ü"',
      version,
      fields,
      keyed ? fields.slice(0, 1).map(({ name }) => name) : [],
      tuples.map(([row, op, ...columns], index) => [
        `103000000${1_000 + row}`,
        '2026-01-05 17:00:00.123456',
        op,
        `10001030000000${100 + index}1`,
        ...columns,
      ]),
    ),
  );

/** What the appender emits for these rows of `store.<table>` of `shop`. */
export function dataOutput(
  table: string,
  version: number,
  fields: readonly UmsField[],
  primaryKey: readonly string[],
  tuples: readonly (readonly UmsValue[])[],
): AppendOutput {
  const namespace = namespaceOf('shop', { schema: 'store', table }, version);
  const text = tuples.map(tuple => `${JSON.stringify({ tuple })},`).join('');
  return {
    topic: resultTopicOf('shop', 'store'),
    schema: 'store',
    table,
    partition: 0,
    key: messageKey('data_increment_data', namespace, 1_767_631_816_000, 'shop'),
    value: dataMessage(dataHeader(namespace, fields, primaryKey), Buffer.from(text)),
  };
}

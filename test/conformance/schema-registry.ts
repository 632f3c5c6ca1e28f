import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { type ErrorCode, isUmbusError } from '../../src/core/errors.ts';
import type { SchemaCompatibility, SchemaRegistry } from '../../src/ports/schema-registry.ts';
import { rowSchema } from '../../src/ums/avro-schema.ts';
import type { UmsField } from '../../src/ums/types.ts';

/** A registry under test. Subjects of the suite are new to it. */
export interface RegistryFixture {
  /** A client that remembers nothing. */
  open(): SchemaRegistry;
  /** Takes the registry away, and brings it back with what it held. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

const field = (name: string, type: unknown, more: object = {}) => ({ name, type, ...more });
const record = (...fields: readonly object[]): string =>
  JSON.stringify({ type: 'record', name: 'Row', namespace: 'suite', doc: 'A row.', fields });

const id = field('id', 'int');
const optional = (name: string, type: string) => field(name, ['null', type], { default: null });

/** By compatibility: schemas that follow each other, and whether the last is let in. */
const successions: readonly (readonly [SchemaCompatibility, string, readonly string[], boolean])[] = [
  ['NONE', 'another type', [record(id), record(field('id', 'string'))], true],
  ['BACKWARD', 'an added column that may be missing', [record(id), record(id, optional('a', 'int'))], true],
  ['BACKWARD', 'a dropped column', [record(id, field('a', 'int')), record(id)], true],
  ['BACKWARD', 'an added column that may not be missing', [record(id), record(id, field('a', 'int'))], false],
  ['BACKWARD', 'a wider number', [record(id), record(field('id', 'long'))], true],
  ['FORWARD', 'a wider number', [record(id), record(field('id', 'long'))], false],
  ['FORWARD', 'an added column that may not be missing', [record(id), record(id, field('a', 'int'))], true],
  ['FULL', 'a dropped column that may not be missing', [record(id, field('a', 'int')), record(id)], false],
  ['FULL', 'a dropped column that may be missing', [record(id, optional('a', 'int')), record(id)], true],
  [
    'BACKWARD',
    'a column that comes back with another type',
    [record(id, optional('a', 'int')), record(id), record(id, optional('a', 'string'))],
    true,
  ],
  [
    'BACKWARD_TRANSITIVE',
    'a column that comes back with another type',
    [record(id, optional('a', 'int')), record(id), record(id, optional('a', 'string'))],
    false,
  ],
  [
    'FORWARD_TRANSITIVE',
    'a column that comes back with another type',
    [record(id, optional('a', 'int')), record(id), record(id, optional('a', 'string'))],
    false,
  ],
  [
    'FULL_TRANSITIVE',
    'columns that come and go',
    [record(id), record(id, optional('a', 'int')), record(id), record(id, optional('b', 'string'))],
    true,
  ],
  ['FULL_TRANSITIVE', 'another type', [record(id), record(field('id', 'string'))], false],
];

async function rejectsWith(promise: Promise<unknown>, code: ErrorCode, message = /./): Promise<void> {
  await assert.rejects(promise, (error: unknown) => {
    assert.ok(isUmbusError(error, code), `${error}`);
    assert.match(error.message, message);
    return true;
  });
}

/** The suite for {@link SchemaRegistry}: what every adapter does. `fixture` gives one registry for all of it; null when it has skipped the test. */
export function describeSchemaRegistry(
  name: string,
  fixture: (t: TestContext) => Promise<RegistryFixture | null>,
): void {
  const cases = (title: string, run: (fixture: RegistryFixture) => Promise<void>): void => {
    test(title, async t => {
      const made = await fixture(t);
      if (made !== null) await run(made);
    });
  };

  describe(`a schema registry: ${name}`, () => {
    cases(
      'the same schema has one id, under one subject and under others, for whoever asks',
      async ({ open }) => {
        const registry = open();
        const first = await registry.register('same-a', record(id));
        assert.ok(Number.isInteger(first) && first > 0);
        assert.equal(await registry.register('same-a', record(id)), first);
        assert.equal(await open().register('same-a', record(id)), first);
        assert.equal(await open().register('same-b', record(id)), first);
      },
    );

    cases('another schema has another id, and the first keeps its own', async ({ open }) => {
      const first = await open().register('two', record(id));
      const second = await open().register('two', record(id, optional('more', 'string')));
      assert.notEqual(second, first);
      assert.equal(await open().register('two', record(id)), first);
    });

    cases('a schema comes back with all that was in it, also what Avro does not know', async ({ open }) => {
      const columns: readonly UmsField[] = [
        { name: 'order-no', type: 'long', nullable: false, encoded: false },
        { name: 'größe', type: 'decimal', nullable: true, encoded: true },
      ];
      const shape = { ds: 'shop', schema: 'store', table: 'a.b "ü"', columns, wide: [] };
      const keyed = rowSchema({ ...shape, primaryKey: ['order-no'] }).text;
      // Differs from the first in what only umbus reads.
      const masked = rowSchema({
        ...shape,
        primaryKey: ['order-no'],
        columns: columns.map(column => ({ ...column, encoded: true })),
      }).text;
      for (const text of [keyed, masked]) {
        const registered = await open().register('whole', text, 'BACKWARD');
        assert.deepEqual(JSON.parse(await open().schema(registered)), JSON.parse(text));
      }
    });

    for (const [index, [compatibility, what, schemas, allowed]] of successions.entries()) {
      cases(`${compatibility} ${allowed ? 'lets in' : 'refuses'} ${what}`, async ({ open }) => {
        const subject = `succession-${index}`;
        const registry = open();
        for (const schema of schemas.slice(0, -1)) await registry.register(subject, schema, compatibility);
        const last = registry.register(subject, schemas.at(-1) ?? '', compatibility);
        if (allowed) assert.ok((await last) > 0);
        else await rejectsWith(last, 'UMBUS_REGISTRY_INCOMPATIBLE', new RegExp(subject));
      });
    }

    cases('a compatibility that was loosened lets in what was refused before', async ({ open }) => {
      const registry = open();
      await registry.register('loosened', record(id), 'FULL');
      const other = record(field('id', 'string'));
      await rejectsWith(registry.register('loosened', other, 'FULL'), 'UMBUS_REGISTRY_INCOMPATIBLE');
      assert.ok((await registry.register('loosened', other, 'NONE')) > 0);
    });

    cases('an id that nobody has is unknown', async ({ open }) => {
      await rejectsWith(open().schema(2_000_000_000), 'UMBUS_REGISTRY_UNKNOWN_SCHEMA', /2000000000/);
    });

    cases('what is no schema of Avro is refused', async ({ open }) => {
      await rejectsWith(open().register('nonsense', '{"type":"nonsense"}'), 'UMBUS_REGISTRY_REFUSED');
    });

    cases(
      'a registry that is away is told as such, what was asked before is still known, and all works when it is back',
      async ({ open, stop, start }) => {
        const registry = open();
        const known = await registry.register('outage', record(id));
        const text = await registry.schema(known);
        const late = open();
        await stop();
        try {
          assert.equal(await registry.register('outage', record(id)), known);
          assert.equal(await registry.schema(known), text);
          for (const request of [
            registry.register('outage', record(id, optional('a', 'int'))),
            late.register('outage', record(id)),
            late.schema(known),
          ]) {
            await assert.rejects(request, (error: unknown) => {
              assert.ok(isUmbusError(error, 'UMBUS_REGISTRY_UNREACHABLE'), `${error}`);
              return error.retryable;
            });
          }
        } finally {
          await start();
        }
        assert.equal(await late.register('outage', record(id)), known);
        assert.equal(await late.schema(known), text);
        assert.notEqual(await registry.register('outage', record(id, optional('a', 'int'))), known);
      },
    );
  });
}

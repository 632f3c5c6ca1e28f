import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { diffSchemas } from '../../../src/change/schema-diff.ts';
import { readSchemaNotice } from '../../../src/consumer/index.ts';
import { noticeMessage, type SchemaNotice } from '../../../src/ums/schema-notice.ts';
import { anySchema } from '../../support/schema-arbitraries.ts';
import { schemaFolder } from './schema.ts';

const bytesOf = (name: string) => readFileSync(new URL(name, schemaFolder));
const valid = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false }).compile(
  JSON.parse(bytesOf('schema-notice.schema.json').toString('utf8')),
);

test('the example of a notice is valid, is read, and says what the diff of its columns says', () => {
  const bytes = bytesOf('schema-notice.example.json');
  assert.ok(valid(JSON.parse(bytes.toString('utf8'))), JSON.stringify(valid.errors));
  const { before, after, changes, verdict } = readSchemaNotice(bytes);
  assert.ok(before !== null && after !== null);
  assert.deepEqual(diffSchemas(before, after), { verdict, changes });
});

test('what is written of any change is valid, and is read as it was written', () => {
  const place = { epoch: 1, file: 'bin.000007', position: 4_294_967_296 };
  fc.assert(
    fc.property(anySchema, anySchema, (before, after) => {
      const notice: Omit<SchemaNotice, 'protocol'> = {
        ds: 'shop',
        schema: 'store',
        table: 'a.b',
        reason: 'alter',
        version: 3,
        innerVersion: 5,
        rows: 'kept',
        from: place,
        uid: '100000074294967296000',
        ts: '2026-01-05 16:50:16.000',
        statements: [{ at: place, text: 'ALTER TABLE `a.b` ADD c INT' }],
        before,
        after,
        ...diffSchemas(before, after),
      };
      const bytes = noticeMessage(notice);
      assert.ok(valid(JSON.parse(bytes.toString('utf8'))), JSON.stringify(valid.errors));
      assert.deepEqual({ ...readSchemaNotice(bytes) }, { ...readSchemaNotice(bytes), ...notice });
    }),
  );
});

test('columns of a very wide table are said once', () => {
  const columns = Array.from({ length: 4_096 }, (_, index) => ({
    name: `c${index}`,
    type: 'int',
    umsType: 'int' as const,
    nullable: true,
  }));
  const place = { epoch: 1, file: 'bin.000007', position: 4 };
  const bytes = noticeMessage({
    ds: 'shop',
    schema: 'store',
    table: 'wide',
    reason: 'alter',
    version: 0,
    innerVersion: 1,
    verdict: 'compatible',
    rows: 'kept',
    from: place,
    uid: '100000070000000000040',
    ts: '',
    statements: [],
    before: { columns, primaryKey: [] },
    after: { columns, primaryKey: [] },
    changes: [],
  });
  assert.equal(readSchemaNotice(bytes).before, null);
  assert.ok(bytes.length < 512 * 1024, `${bytes.length} bytes`);
});

test('what is no notice is refused, with the place of its record', () => {
  for (const text of ['', '[]', '{}', '{"protocol":{"type":"umbus_alarm","version":"1.0"}}']) {
    assert.throws(
      () => readSchemaNotice(Buffer.from(text), { topic: 'shop_schema', partition: 0, offset: 7n }),
      (error: unknown) => error instanceof Error && /shop_schema\/0@7|shop_schema/.test(error.message),
    );
  }
});

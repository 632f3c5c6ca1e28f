import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { diffSchemas, type SchemaDiff, verdicts } from '../../src/change/schema-diff.ts';
import { compareTypes } from '../../src/change/type-values.ts';
import type { SchemaColumn, TableSchema } from '../../src/ums/table-schema.ts';
import { anyColumn, anySchema } from '../support/schema-arbitraries.ts';

function withMask({ mask: _, ...column }: SchemaColumn, mask: string | null): SchemaColumn {
  return mask === null ? column : { ...column, mask };
}

/** What a schema becomes by a diff alone. */
function applied(before: TableSchema, { changes }: SchemaDiff): TableSchema {
  const columns = new Map(before.columns.map(column => [column.name, column]));
  const renamed = new Map<string, string>();
  const placed: { readonly at: number; readonly name: string }[] = [];
  let primaryKey: readonly string[] | null = null;
  const rename = (column: SchemaColumn): SchemaColumn => ({
    ...column,
    name: renamed.get(column.name) ?? column.name,
  });
  for (const change of changes) {
    if (change.kind === 'dropped') columns.delete(change.column.name);
    if (change.kind === 'renamed') renamed.set(change.from, change.name);
    if (change.kind === 'key') primaryKey = change.after;
    if (change.kind === 'added') placed.push({ at: change.at, name: change.column.name });
    if (change.kind === 'moved') placed.push({ at: change.at, name: change.name });
  }
  const now = new Map([...columns.values()].map(column => [rename(column).name, rename(column)]));
  for (const change of changes) {
    if (change.kind === 'added') now.set(change.column.name, change.column);
    const column = 'name' in change ? now.get(change.name) : undefined;
    if (column === undefined) continue;
    if (change.kind === 'type')
      now.set(column.name, withMask({ ...change.after, nullable: column.nullable }, column.mask ?? null));
    if (change.kind === 'charset') now.set(column.name, { ...column, charset: change.after });
    if (change.kind === 'mask') now.set(column.name, withMask(column, change.after));
  }
  for (const change of changes) {
    const column = change.kind === 'nullability' ? now.get(change.name) : undefined;
    if (change.kind === 'nullability' && column !== undefined)
      now.set(column.name, { ...column, nullable: change.nullable });
  }
  const order = [...now.keys()].filter(name => !placed.some(place => place.name === name));
  for (const { at, name } of placed.toSorted((a, b) => a.at - b.at)) order.splice(at, 0, name);
  return {
    columns: order.flatMap(name => now.get(name) ?? []),
    primaryKey: primaryKey ?? before.primaryKey.map(name => renamed.get(name) ?? name),
  };
}

test('a schema does not differ from itself', () => {
  fc.assert(
    fc.property(anySchema, schema => {
      assert.deepEqual(diffSchemas(schema, structuredClone(schema)), { verdict: 'compatible', changes: [] });
    }),
  );
});

test('a diff says all that is needed to make the schema after of the one before', () => {
  fc.assert(
    fc.property(anySchema, anySchema, (before, after) => {
      assert.deepEqual(applied(before, diffSchemas(before, after)), after);
    }),
    { numRuns: 2_000 },
  );
});

test('what a statement says of renamed columns is taken at its word, through chains and swaps', () => {
  fc.assert(
    fc.property(anySchema, fc.boolean(), (before, chain) => {
      const [first, second] = before.columns;
      if (first === undefined) return;
      const to = chain && second !== undefined ? second.name : 'fresh';
      const renames =
        to === 'fresh'
          ? [{ from: first.name, to }]
          : [
              { from: first.name, to: 'between' },
              { from: to, to: first.name },
              { from: 'between', to },
            ];
      const names = new Map([[first.name, to], ...(to === 'fresh' ? [] : [[to, first.name] as const])]);
      const name = (old: string): string => names.get(old) ?? old;
      const after = {
        columns: before.columns.map(column => ({ ...column, name: name(column.name) })),
        primaryKey: before.primaryKey.map(name),
      };
      const { changes } = diffSchemas(before, after, renames);
      assert.deepEqual(
        changes.map(change => [change.kind, 'sure' in change && change.sure]),
        changes.map(() => ['renamed', true]),
      );
      assert.equal(changes.length, names.size);
      assert.deepEqual(applied(before, { changes, verdict: 'breaking' }), after);
    }),
  );
});

test('the verdict is the worst of its parts, and another order of columns alone is compatible', () => {
  fc.assert(
    fc.property(anySchema, anySchema, (before, after) => {
      const diff = diffSchemas(before, after);
      const ranks = diff.changes.map(({ verdict }) => verdicts.indexOf(verdict));
      assert.equal(verdicts.indexOf(diff.verdict), Math.max(0, ...ranks));
    }),
  );
  fc.assert(
    fc.property(
      anySchema.chain(schema =>
        fc
          .shuffledSubarray([...schema.columns], { minLength: schema.columns.length })
          .map(columns => [schema, { ...schema, columns }] as const),
      ),
      ([before, after]) => {
        const { verdict, changes } = diffSchemas(before, after);
        assert.equal(verdict, 'compatible');
        assert.ok(changes.every(({ kind }) => kind === 'moved'));
        assert.ok(changes.length < before.columns.length);
      },
    ),
  );
});

test('widening is transitive, and narrowing is widening the other way', () => {
  const wider = (a: SchemaColumn, b: SchemaColumn): boolean =>
    ['widened', 'respelled'].includes(compareTypes(a, b));
  let chains = 0;
  fc.assert(
    fc.property(anyColumn, anyColumn, anyColumn, (a, b, c) => {
      assert.equal(compareTypes(a, b) === 'widened', compareTypes(b, a) === 'narrowed');
      if (!wider(a, b) || !wider(b, c)) return;
      chains += 1;
      assert.ok(wider(a, c), `${a.type} → ${b.type} → ${c.type}`);
    }),
    { numRuns: 20_000 },
  );
  assert.ok(chains > 50, `${chains} chains were seen`);
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import fc from 'fast-check';
import type { UmsMessage } from '../../../src/ums/types.ts';
import { type ModelRow, runModel } from '../consumer/model-line.ts';
import { blocksOf, readDocument } from './markdown.ts';

const readme = readDocument('README.md');

/** A table's life with changed keys, deletions, a truncation and a new column; the middle comes twice. */
function script(): { rows: readonly ModelRow[]; delivered: UmsMessage[] } {
  const { rows, messages } = runModel(
    [
      ...[1, 2, 3, 4].map(id => ({ kind: 'insert' as const, id, text: `row ${id}` })),
      { kind: 'cut' },
      { kind: 'truncate' },
      ...[1, 2, 3, 4, 5].map(id => ({ kind: 'insert' as const, id, text: `again ${id}` })),
      { kind: 'cut' },
      { kind: 'update', pick: 1, text: 'changed' },
      { kind: 'rekey', pick: 2, id: 9 },
      { kind: 'rekey', pick: 3, id: 3 },
      { kind: 'cut' },
      { kind: 'delete', pick: 0 },
      { kind: 'cut' },
      { kind: 'toggle-column' },
      { kind: 'insert', id: 7, text: 'wide' },
    ],
    { keyed: true, beforeImage: false },
  );
  return { rows, delivered: [...messages.slice(0, -1), ...messages.slice(1), ...messages.slice(2)] };
}

const byId = (rows: readonly ModelRow[]): [number, unknown][] =>
  rows.map((row): [number, unknown] => [Number(row['id']), row['text']]).sort(([a], [b]) => a - b);

/** The `apply` of the kafkajs example, alone. */
function javascriptLoop(): { apply(message: UmsMessage): void; rows(): ModelRow[] } {
  const [source = ''] = blocksOf(readme, 'js');
  const part = source.slice(source.indexOf('const rows'), source.indexOf('const consumer'));
  assert.ok(part.includes('function apply'), 'README has the kafkajs example');
  const { apply, rows } = new Function(`${part}; return { apply, rows };`)();
  return { apply, rows: () => [...rows.values()].map(({ row }) => row).filter(row => row !== null) };
}

test('the kafkajs loop in README leaves the rows that the database has', () => {
  const { rows, delivered } = script();
  const loop = javascriptLoop();
  for (const message of delivered) loop.apply(message);
  assert.ok(rows.length > 3);
  assert.deepEqual(byId(loop.rows()), byId(rows));
});

/** The same life in two tables of a logical one, message by message in turn; a truncation of one alone follows. */
function logicalScript(): { rows: readonly ModelRow[]; delivered: UmsMessage[] } {
  const { rows, delivered } = script();
  const inPart = (message: UmsMessage, part: string): UmsMessage => ({
    ...message,
    schema: { ...message.schema, namespace: message.schema.namespace.replace(/0$/, part) },
  });
  const [last] = delivered.slice(-1);
  assert.ok(last);
  const namespace = last.schema.namespace.replace(/0$/, 'orders_2024');
  const truncated: UmsMessage = {
    protocol: { type: 'data_increment_termination', version: '1.3' },
    schema: { namespace, fields: last.schema.fields.slice(1, 2), reason: 'truncate' },
    payload: [{ tuple: ['2026-01-01 00:00:00.000'] }],
  };
  return {
    rows: [...rows, ...rows],
    delivered: [
      ...delivered.flatMap(each =>
        ['orders_2024', 'orders_2025', 'orders_2026'].map(part => inPart(each, part)),
      ),
      truncated,
    ],
  };
}

test('the kafkajs loop in README keeps the tables of a logical one apart', () => {
  const { rows, delivered } = logicalScript();
  const loop = javascriptLoop();
  for (const message of delivered) loop.apply(message);
  assert.deepEqual(byId(loop.rows()), byId(rows));
});

test('the kafkajs loop in README does so for any life of a table', () => {
  const command = fc.oneof(
    fc.record({ kind: fc.constant('insert' as const), id: fc.nat(6), text: fc.constantFrom('a', 'b') }),
    fc.record({ kind: fc.constant('rekey' as const), pick: fc.nat(9), id: fc.nat(6) }),
    fc.record({ kind: fc.constant('delete' as const), pick: fc.nat(9) }),
    fc.constantFrom({ kind: 'cut' as const }, { kind: 'truncate' as const }),
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 40, size: 'max' }), fc.nat(40), (commands, back) => {
      const { rows, messages } = runModel(commands, { keyed: true, beforeImage: false });
      const loop = javascriptLoop();
      for (const message of [...messages, ...messages.slice(-back)]) loop.apply(message);
      assert.deepEqual(byId(loop.rows()), byId(rows));
    }),
    { numRuns: 100 },
  );
});

test('the Python loop in README leaves the rows that the database has', t => {
  const [source] = blocksOf(readme, 'python');
  assert.ok(source?.includes('def apply'), 'README has the Python example');
  const given = [script(), logicalScript()];
  const rows = given.flatMap(each => each.rows);
  // The client library is not needed to apply messages; an empty module stands in its place.
  const program = [
    'import sys, types, json',
    "client = types.ModuleType('confluent_kafka')",
    'client.Consumer = None',
    "sys.modules['confluent_kafka'] = client",
    'given = json.load(sys.stdin)',
    "scope = {'__name__': 'readme'}",
    "exec(compile(given['source'], 'README.md', 'exec'), scope)",
    'found = []',
    "for delivered in given['delivered']:",
    "    scope['rows'].clear()",
    "    scope['versions'].clear()",
    "    for message in delivered: scope['apply'](message)",
    "    found += [row for _, row in scope['rows'].values() if row is not None]",
    'print(json.dumps(found))',
  ].join('\n');
  const python = spawnSync('python3', ['-c', program], {
    input: JSON.stringify({ source, delivered: given.map(each => each.delivered) }),
    encoding: 'utf8',
    timeout: 60_000,
  });
  if (python.error !== undefined) {
    assert.ok(!process.env['CI'], 'CI needs python3');
    t.diagnostic('There is no python3 here: the Python example was not run.');
    return;
  }
  assert.equal(python.status, 0, python.stderr);
  assert.deepEqual(byId(JSON.parse(python.stdout)), byId(rows));
});
